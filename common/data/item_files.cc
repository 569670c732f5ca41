#include "common/data/item_files.h"

#include <optional>
#include "common/base/digest.h"
#include "common/io/safetensors_write.h"

namespace dyad::data {
namespace {

constexpr const char *kVectors = "embedding", *kCodes = "codes";
constexpr const char *kFormat = "format", *kItems = "items";          // keys of the metadata
constexpr const char *kVectorsFormat = "dyad-vectors-2", *kCodesFormat = "dyad-codes-2";   // 1: no seal, no items

std::optional<std::string> noted(const io::Safetensors& file, const char* key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? std::nullopt : std::optional(found->second);
}

// `again`: the command that makes the file.
Status check_origin(const io::Safetensors& file, const Dataset& dataset, const std::string& again) {
  const auto format = noted(file, kFormat), items = noted(file, kItems);
  if ((format == kVectorsFormat || format == kCodesFormat) && (!file.sealed() || !items))
    return fail(Code::kInvalid, "{}: damaged, or altered since it was written: it lacks its digest; {}",
                file.path().string(), again);
  if (items && *items != hex64(dataset.keys_digest()))
    return fail(Code::kInvalid,
                "{} was made for another catalogue: other items, or the same in another order (its items {}, those of "
                "{} {}); {}",
                file.path().string(), *items, dataset.dir().string(), hex64(dataset.keys_digest()), again);
  return ok();
}

}  // namespace

Result<ItemCodes> open_codes(const Dataset& dataset, const std::string& stream) {
  const auto path = dataset.dir() / "codes" / (stream + ".safetensors");
  const auto again = fmt::format("build the codes again: `dyad codes build --data {}`", dataset.dir().string());
  const auto file = io::Safetensors::open(path);
  if (!file) {
    if (file.error().code != Code::kNotFound) return file.error();
    return fail(Code::kNotFound, "{}: no codes yet; make them with `dyad codes build --data {}`", path.string(),
                dataset.dir().string());
  }
  DYAD_TRY(trie, Trie::read(file.value()));
  if (trie.items() != dataset.items())
    return fail(Code::kInvalid, "{} holds codes of {} items, the catalogue has {}; {}", path.string(), trie.items(),
                dataset.items(), again);
  DYAD_TRYV(check_origin(file.value(), dataset, again));
  return ItemCodes{std::move(trie), noted(file.value(), "vectors").value_or(""), file.value().sealed()};
}

Result<ItemVectors> ItemVectors::open(const Dataset& dataset, const std::string& stream) {
  const auto path = dataset.dir() / "vectors" / (stream + ".safetensors");
  auto file = io::Safetensors::open(path);
  if (!file) {
    if (file.error().code != Code::kNotFound) return file.error();
    return fail(Code::kNotFound,
                "{}: no {} vectors yet; make them with `dyad encode {}` or `dyad encode import`, or train without them "
                "(model.gct = false)",
                path.string(), stream, stream == kStreams[0] ? "behaviour" : "text");
  }
  ItemVectors out;
  out.file_ = std::move(file.value());
  DYAD_TRY(values, out.file_.tensor(kVectors));
  out.values_ = std::move(values);
  const auto& shape = out.values_.shape;
  if (shape.size() != 2 || shape[1] == 0)
    return fail(Code::kInvalid, "{}: '{}' has {} dimensions, wanted [items, width]; encode again", path.string(),
                kVectors, shape.size());
  if (shape[0] != dataset.items())
    return fail(Code::kInvalid, "{} holds {} vectors, the catalogue has {} items; encode again", path.string(),
                shape[0], dataset.items());
  DYAD_TRYV(check_origin(out.file_, dataset, "encode again"));
  return out;
}

Result<std::uint64_t> ItemVectors::digest() const {
  if (values_.dtype == io::DType::kF32) return digest64(values_.bytes);
  DYAD_TRY(floats, file_.floats(kVectors));
  return digest64(std::as_bytes(std::span(floats)));
}

Status ItemVectors::copy_to(std::span<float> out) const { return file_.floats_into(kVectors, out); }

Status write_vectors(const std::filesystem::path& file, std::uint64_t keys, const io::Matrix& rows,
                     const std::string& source) {
  const io::Metadata metadata{{kFormat, kVectorsFormat}, {kItems, hex64(keys)}, {"source", source}};
  DYAD_TRYV(io::write_safetensors(file, {{kVectors, io::make_tensor<float>({rows.rows, rows.cols}, rows.values)}},
                                  metadata, io::Seal::kDigest));
  return ok();
}

Status write_codes(const std::filesystem::path& file, std::uint64_t keys, std::span<const std::int32_t> codes,
                   std::size_t levels, io::Metadata made_by) {
  made_by[kFormat] = kCodesFormat;
  made_by[kItems] = hex64(keys);
  const auto tensor = io::make_tensor<std::int32_t>({codes.size() / levels, levels}, codes);
  DYAD_TRYV(io::write_safetensors(file, {{kCodes, tensor}}, made_by, io::Seal::kDigest));
  return ok();
}

}  // namespace dyad::data
