#pragma once
// Writes the .safetensors format (safetensors.h). Written bytes are a pure function of the arguments: tensors by
// falling element size, then name; keys sorted. Threads: any.
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include "common/io/atomic_file.h"
#include "common/io/safetensors.h"

namespace dyad::io {

enum class Seal : std::uint8_t { kNone, kDigest };   // kDigest: for files that no manifest tells the digest of
// REQUIRES: each tensor's bytes are as many as its shape and type say. The file appears by rename (atomic_file.h).
Result<FileFacts> write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                                    const Metadata& metadata = {}, Seal seal = Seal::kNone);

template <class T> constexpr DType dtype_of();
template <> constexpr DType dtype_of<float>() { return DType::kF32; }
template <> constexpr DType dtype_of<std::int32_t>() { return DType::kI32; }
template <> constexpr DType dtype_of<std::int64_t>() { return DType::kI64; }
template <> constexpr DType dtype_of<std::uint8_t>() { return DType::kU8; }
// make_tensor<float>({rows, cols}, values): a borrowing Tensor of plain values.
template <class T> Tensor make_tensor(std::vector<std::size_t> shape, std::span<const T> values) {
  return {dtype_of<T>(), std::move(shape), std::as_bytes(values)};
}

}  // namespace dyad::io
