#pragma once
// Where the vectors and codes of a stream lie in a dataset folder (common/data/dataset.h).
#include <filesystem>
#include <string>
#include <vector>

namespace dyad::codes {

enum class Stream { kBehaviour, kSemantic };
inline const char* stream_name(Stream s) { return s == Stream::kBehaviour ? "behaviour" : "semantic"; }
inline std::filesystem::path vectors_file(const std::filesystem::path& data, Stream s) {
  return data / "vectors" / (std::string(stream_name(s)) + ".safetensors");
}
inline std::filesystem::path codes_file(const std::filesystem::path& data, Stream s) {
  return data / "codes" / (std::string(stream_name(s)) + ".safetensors");
}

}  // namespace dyad::codes
