#include "common/io/safetensors_write.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include "common/base/check.h"
#include "common/io/safetensors.h"
#include "common/io/seal.h"

namespace dyad::io {

Result<FileFacts> write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                                    const Metadata& given, Seal seal) {
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& entry : tensors) order.push_back(&entry);
  // Wide elements first, so that every tensor is aligned to its element where the data begins aligned to 8.
  std::stable_sort(order.begin(), order.end(),
                   [](auto* a, auto* b) { return dtype_bytes(a->second.dtype) > dtype_bytes(b->second.dtype); });
  Metadata metadata = given;
  if (seal == Seal::kDigest) metadata[kSealKey] = kNoDigest;
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t at = 0;
  for (const auto* entry : order) {
    const Tensor& tensor = entry->second;
    std::size_t bytes = dtype_bytes(tensor.dtype);
    for (const std::size_t n : tensor.shape) bytes *= n;
    CHECK_EQ(bytes, tensor.bytes.size());
    header[entry->first] = {
        {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  // Text that is not UTF-8 (a foreign title in the metadata) becomes replacement characters instead of an exception.
  std::string text = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  if (seal == Seal::kDigest) {
    const std::size_t place = place_of_seal(text, kNoDigest);
    Digest digest;
    digest_header(digest, text, place);
    for (const auto* entry : order) digest.update(entry->second.bytes);
    text.replace(place, kNoDigest.size(), hex64(digest.value()));
  }
  const auto header_bytes = static_cast<std::uint64_t>(text.size());
  DYAD_TRY(file, AtomicFile::create(path));
  DYAD_TRYV(file.write(std::as_bytes(std::span(&header_bytes, 1))));
  DYAD_TRYV(file.write(text));
  for (const auto* entry : order) {
    DYAD_TRYV(file.write(entry->second.bytes));
  }
  return file.commit();
}

}  // namespace dyad::io
