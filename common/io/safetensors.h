#pragma once
// The .safetensors format, read by mmap (written by safetensors_write.h):
//   [ u64 n | n bytes of JSON: name -> {dtype, shape, data_offsets}, "__metadata__" -> {string: string} | tensors ]
// The header is trusted in nothing: offsets outside the file, overlaps, holes, shapes that disagree with their bytes,
// unknown types and truncation are refused with the file's and the tensor's name. Little-endian machines only.
// A sealed file carries a digest of itself (metadata "dyad.digest"): open() refuses one whose bytes do not fit it.
// Threads: immutable after open.
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/io/mapped_file.h"

namespace dyad::io {

enum class DType : std::uint8_t {
  kF32, kF64, kF16, kBF16, kI32, kI64, kU8, kBool, kI8, kF8E4M3, kF8E5M2, kI16, kU16, kU32, kU64
};
const char* dtype_name(DType dtype);                 // "F32"
std::size_t dtype_bytes(DType dtype);                // 4

struct Tensor {                                      // borrows its bytes
  DType dtype = DType::kF32;
  std::vector<std::size_t> shape;                    // empty: a scalar
  std::span<const std::byte> bytes;                  // row-major
  std::size_t count() const { return bytes.size() / dtype_bytes(dtype); }
};

using Metadata = std::map<std::string, std::string>;

class Safetensors {
 public:
  // Fails with kNotFound, or kInvalid naming the file and what is wrong.
  static Result<Safetensors> open(const std::filesystem::path& path);
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }
  const Metadata& metadata() const { return metadata_; }       // without the seal
  bool sealed() const { return sealed_; }
  const std::filesystem::path& path() const { return file_.path(); }
  // Fails with kInvalid naming the file, the tensor and the tensors that there are.
  Result<Tensor> tensor(const std::string& name) const;
  // A copy. floats() converts from F64, F32, F16 and BF16; ints() takes I32 only, longs() I32 and I64.
  Result<std::vector<float>> floats(const std::string& name) const;
  // floats() into memory of the caller's. REQUIRES: out.size() == the tensor's count().
  Status floats_into(const std::string& name, std::span<float> out) const;
  Result<std::vector<std::int32_t>> ints(const std::string& name) const;
  Result<std::vector<std::int64_t>> longs(const std::string& name) const;

 private:
  MappedFile file_;
  std::map<std::string, Tensor> tensors_;
  Metadata metadata_;
  bool sealed_ = false;
};

}  // namespace dyad::io
