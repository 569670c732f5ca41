#pragma once
// What a target defines, and what it may use. fuzz.cc hands both functions to libFuzzer.
// Threads: one.
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>
#include "common/base/check.h"
#include "common/base/result.h"

namespace dyad::fuzz {

// Valid examples, by the project's own encoder: where the fuzzer starts.
std::vector<std::string> seeds();
// Decodes `bytes`, which may be anything. CHECKs that what decodes can be encoded and decodes again to the same.
void decode(std::string_view bytes);

// A folder of this process, empty at the start, removed at the end.
const std::filesystem::path& folder();
// The file `name` in it, with these bytes.
std::filesystem::path put(const std::string& name, std::string_view bytes);
// The whole of a file that must be there.
std::string bytes_of(const std::filesystem::path& file);

// Several files as one input: | bytes u32 | bytes | ...; a length beyond the end is cut, what is missing is empty.
std::string join(const std::vector<std::string>& parts);
std::vector<std::string> split(std::string_view bytes, std::size_t parts);

// A number at a place. REQUIRES: it fits.
template <class T> T number_at(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
template <class T> void put_number(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace dyad::fuzz
