#include "common/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"
#include "common/base/check.h"
#include "common/io/half_bits.h"
#include "common/io/seal.h"

namespace dyad::io {
static_assert(std::endian::native == std::endian::little, "safetensors are little-endian and read in place");
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kHeaderBytesMax = 100'000'000;   // as the reference implementation

struct TypeRow { DType type; const char* name; std::size_t bytes; };
constexpr TypeRow kTypes[] = {   // in the order of DType
    {DType::kF32, "F32", 4},         {DType::kF64, "F64", 8},         {DType::kF16, "F16", 2},
    {DType::kBF16, "BF16", 2},       {DType::kI32, "I32", 4},         {DType::kI64, "I64", 8},
    {DType::kU8, "U8", 1},           {DType::kBool, "BOOL", 1},       {DType::kI8, "I8", 1},
    {DType::kF8E4M3, "F8_E4M3", 1},  {DType::kF8E5M2, "F8_E5M2", 1},  {DType::kI16, "I16", 2},
    {DType::kU16, "U16", 2},         {DType::kU32, "U32", 4},         {DType::kU64, "U64", 8}};

std::optional<DType> type_named(const std::string& name) {
  for (const TypeRow& row : kTypes) if (name == row.name) return row.type;
  return std::nullopt;
}

// Bytes of a shape, or nothing when the product overflows.
std::optional<std::uint64_t> shape_bytes(const std::vector<std::size_t>& shape, std::size_t each) {
  std::uint64_t total = each;
  for (const std::size_t n : shape)
    if (__builtin_mul_overflow(total, static_cast<std::uint64_t>(n), &total)) return std::nullopt;
  return total;
}

Result<std::vector<std::size_t>> unsigned_list(const Json& value, const std::string& where) {
  if (!value.is_array()) return fail(Code::kInvalid, "{} is not a list", where);
  std::vector<std::size_t> out;
  for (const Json& n : value) {
    if (!n.is_number_unsigned())   // a list in the list is only named: dump() recurses as deep as it is nested
      return fail(
          Code::kInvalid, "{} holds {}, not a whole number", where,
          n.is_structured() ? n.type_name() : printable(n.dump(-1, ' ', false, Json::error_handler_t::replace)));
    out.push_back(n.get<std::size_t>());
  }
  return out;
}

// One entry of the header against the `data` it points into.
Result<Tensor> parse_entry(const Json& entry, std::span<const std::byte> data, const std::string& where) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets"))
    return fail(Code::kInvalid, "{} lacks dtype, shape or data_offsets", where);
  if (!entry["dtype"].is_string()) return fail(Code::kInvalid, "{}: dtype is not a string", where);
  const auto name = entry["dtype"].get<std::string>();
  const std::optional<DType> dtype = type_named(name);
  if (!dtype)
    return fail(Code::kInvalid, "{} has dtype {}, which is not read; save it as F32", where, printable(name));
  DYAD_TRY(shape, unsigned_list(entry["shape"], where + ": shape"));
  DYAD_TRY(offsets, unsigned_list(entry["data_offsets"], where + ": data_offsets"));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size())
    return fail(Code::kInvalid, "{} claims bytes [{}] of {} that the file holds: truncated or damaged", where,
                fmt::join(offsets, ", "), data.size());
  const std::size_t bytes = offsets[1] - offsets[0];
  if (shape_bytes(shape, dtype_bytes(*dtype)) != bytes)
    return fail(Code::kInvalid, "{} has shape [{}] of {} but {} bytes", where, fmt::join(shape, ", "), name, bytes);
  return Tensor{*dtype, std::move(shape), data.subspan(offsets[0], bytes)};
}

// The tensors must tile the data: no overlap, no hole, nothing after the last.
Status check_tiling(const std::map<std::string, Tensor>& tensors, std::span<const std::byte> data,
                    const std::string& file) {
  std::vector<const std::pair<const std::string, Tensor>*> by_place;
  for (const auto& entry : tensors) by_place.push_back(&entry);
  std::sort(by_place.begin(), by_place.end(), [](auto* a, auto* b) {
    return std::pair(a->second.bytes.data(), a->second.bytes.size()) <
           std::pair(b->second.bytes.data(), b->second.bytes.size());
  });
  const std::byte* at = data.data();
  for (const auto* entry : by_place) {
    const auto& [name, tensor] = *entry;
    if (tensor.bytes.data() != at)
      return fail(Code::kInvalid, "{}: tensor '{}' {}", file, printable(name),
                  tensor.bytes.data() < at ? "overlaps another" : "leaves a hole before it");
    at += tensor.bytes.size();
  }
  const auto used = static_cast<std::size_t>(at - data.data());
  if (used != data.size()) return fail(Code::kInvalid, "{}: {} bytes after the last tensor", file, data.size() - used);
  return ok();
}

Status parse_metadata(const Json& value, const std::string& file, Metadata& out) {
  if (!value.is_object()) return fail(Code::kInvalid, "{}: __metadata__ is not an object", file);
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return fail(Code::kInvalid, "{}: __metadata__ '{}' is not a string", file, printable(key));
    out[key] = text.get<std::string>();
  }
  return ok();
}

// Takes the seal out of the metadata: whoever writes a copy seals it anew.
Result<bool> check_seal(Metadata& metadata, std::string_view header, std::span<const std::byte> data,
                        const std::string& file) {
  const auto found = metadata.find(kSealKey);
  if (found == metadata.end()) return false;
  const std::size_t at = place_of_seal(header, found->second);
  Digest digest;
  if (at != std::string_view::npos) {
    digest_header(digest, std::string(header), at);
    digest.update(data);
  }
  if (at == std::string_view::npos || hex64(digest.value()) != found->second)
    return fail(Code::kInvalid, "{}: its bytes do not fit the digest that it carries: damaged, or altered since it was "
                "written; make it again (a file that was altered on purpose is saved without the metadata '{}')",
                file, kSealKey);
  metadata.erase(found);
  return true;
}

Error wrong_type(const Safetensors& file, const std::string& name, DType dtype, const char* wanted) {
  return fail(Code::kInvalid, "{}: tensor '{}' is {}, wanted {}", file.path().string(), name, dtype_name(dtype),
              wanted);
}

template <class From, class To, class Convert> void convert(const Tensor& tensor, std::span<To> out, Convert one) {
  for (std::size_t i = 0; i < out.size(); ++i) {   // by memcpy: a foreign file need not be aligned
    From value;
    std::memcpy(&value, tensor.bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = one(value);
  }
}
template <class T> void copy(const Tensor& tensor, std::span<T> out) {
  if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
}
template <class T> std::vector<T> copied(const Tensor& tensor) {
  std::vector<T> out(tensor.count());
  copy<T>(tensor, out);
  return out;
}

}  // namespace

const char* dtype_name(DType dtype) { return kTypes[static_cast<std::size_t>(dtype)].name; }
std::size_t dtype_bytes(DType dtype) { return kTypes[static_cast<std::size_t>(dtype)].bytes; }

Result<Safetensors> Safetensors::open(const std::filesystem::path& path) {
  Safetensors out;
  DYAD_TRY(file, MappedFile::open(path));
  out.file_ = std::move(file);
  const std::string name = path.string();
  const std::span<const std::byte> bytes = out.file_.bytes();
  std::uint64_t header_bytes = 0;
  if (bytes.size() < 8) return fail(Code::kInvalid, "{}: {} bytes are no .safetensors file", name, bytes.size());
  std::memcpy(&header_bytes, bytes.data(), 8);
  if (header_bytes > kHeaderBytesMax || header_bytes > bytes.size() - 8)
    return fail(Code::kInvalid, "{}: header of {} bytes in a file of {}: truncated, or no .safetensors file", name,
                header_bytes, bytes.size());
  const auto* text = reinterpret_cast<const char*>(bytes.data() + 8);
  const Json header = Json::parse(text, text + header_bytes, nullptr, false);
  if (!header.is_object()) return fail(Code::kInvalid, "{}: the header is not a JSON object", name);
  const std::span<const std::byte> data = bytes.subspan(8 + header_bytes);
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") {
      DYAD_TRYV(parse_metadata(entry, name, out.metadata_));
      continue;
    }
    DYAD_TRY(tensor, parse_entry(entry, data, fmt::format("{}: tensor '{}'", name, printable(key))));
    out.tensors_.emplace(key, std::move(tensor));
  }
  DYAD_TRYV(check_tiling(out.tensors_, data, name));
  DYAD_TRY(sealed, check_seal(out.metadata_, std::string_view(text, header_bytes), data, name));
  out.sealed_ = sealed;
  return out;
}

Result<Tensor> Safetensors::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& entry : tensors_) if (names.size() < 8) names.push_back(printable(entry.first));
  return fail(Code::kInvalid, "{}: no tensor '{}'; it holds {} tensors: {}{}", path().string(), name, tensors_.size(),
              fmt::join(names, ", "), tensors_.size() > names.size() ? ", ..." : "");
}

Result<std::vector<float>> Safetensors::floats(const std::string& name) const {
  DYAD_TRY(found, tensor(name));
  std::vector<float> out(found.count());
  DYAD_TRYV(floats_into(name, out));
  return out;
}

Status Safetensors::floats_into(const std::string& name, std::span<float> out) const {
  DYAD_TRY(found, tensor(name));
  CHECK_EQ(out.size(), found.count());
  switch (found.dtype) {
    case DType::kF32: return copy(found, out), ok();
    case DType::kF64: return convert<double>(found, out, [](double v) { return static_cast<float>(v); }), ok();
    case DType::kF16: return convert<std::uint16_t>(found, out, half_to_float), ok();
    case DType::kBF16: return convert<std::uint16_t>(found, out, bfloat16_to_float), ok();
    default: return wrong_type(*this, name, found.dtype, "floats (F64, F32, F16 or BF16)");
  }
}

Result<std::vector<std::int32_t>> Safetensors::ints(const std::string& name) const {
  DYAD_TRY(found, tensor(name));
  if (found.dtype != DType::kI32) return wrong_type(*this, name, found.dtype, "I32");
  return copied<std::int32_t>(found);
}

Result<std::vector<std::int64_t>> Safetensors::longs(const std::string& name) const {
  DYAD_TRY(found, tensor(name));
  if (found.dtype == DType::kI64) return copied<std::int64_t>(found);
  if (found.dtype != DType::kI32) return wrong_type(*this, name, found.dtype, "I32 or I64");
  std::vector<std::int64_t> out(found.count());
  convert<std::int32_t>(found, std::span(out), [](std::int32_t v) { return static_cast<std::int64_t>(v); });
  return out;
}

}  // namespace dyad::io
