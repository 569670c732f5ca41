#include "common/data/item_files.h"

#include "common/base/digest.h"

namespace dyad::data {
namespace {

constexpr const char* kVectors = "embedding";

}  // namespace

Result<Trie> open_codes(const std::filesystem::path& dir, const std::string& stream, std::size_t items) {
  const auto file = dir / "codes" / (stream + ".safetensors");
  auto trie = Trie::load(file);
  if (!trie) {
    if (trie.error().code != Code::kNotFound) return trie.error();
    return fail(Code::kNotFound, "{}: no codes yet; make them with `dyad codes build --data {}`", file.string(),
                dir.string());
  }
  if (trie.value().items() != items)
    return fail(Code::kInvalid, "{} holds codes of {} items, the catalogue has {}; build the codes again",
                file.string(), trie.value().items(), items);
  return trie;
}

Result<std::string> codes_built_from(const std::filesystem::path& dir, const std::string& stream) {
  DYAD_TRY(file, io::Safetensors::open(dir / "codes" / (stream + ".safetensors")));
  const auto noted = file.metadata().find("vectors");
  return noted == file.metadata().end() ? std::string() : noted->second;
}

Result<ItemVectors> ItemVectors::open(const std::filesystem::path& dir, const std::string& stream, std::size_t items) {
  const auto path = dir / "vectors" / (stream + ".safetensors");
  auto file = io::Safetensors::open(path);
  if (!file) {
    if (file.error().code != Code::kNotFound) return file.error();
    return fail(Code::kNotFound,
                "{}: no {} vectors yet; make them with `dyad encode`, or train without them (model.gct = false)",
                path.string(), stream);
  }
  ItemVectors out;
  out.file_ = std::move(file.value());
  DYAD_TRY(values, out.file_.tensor(kVectors));
  out.values_ = std::move(values);
  const auto& shape = out.values_.shape;
  if (shape.size() != 2)
    return fail(Code::kInvalid, "{}: '{}' has {} dimensions, wanted [items, width]; encode again", path.string(),
                kVectors, shape.size());
  if (shape[0] != items)
    return fail(Code::kInvalid, "{} holds {} vectors, the catalogue has {} items; encode again", path.string(),
                shape[0], items);
  return out;
}

Result<std::uint64_t> ItemVectors::digest() const {
  if (values_.dtype == io::DType::kF32) return digest64(values_.bytes);
  DYAD_TRY(floats, file_.floats(kVectors));
  return digest64(std::as_bytes(std::span(floats)));
}

Status ItemVectors::copy_to(std::span<float> out) const { return file_.floats_into(kVectors, out); }

}  // namespace dyad::data
