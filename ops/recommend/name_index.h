#pragma once
// Names -> numbers, where several numbers may have one name and a person may not keep upper and lower case apart.
// Threads: immutable once filled.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dyad::ops {

std::string lower(std::string_view text);                            // ASCII letters

class NameIndex {
 public:
  enum class Case { kExact, kAny };
  void add(std::string_view name, std::uint32_t number);             // an empty name is none
  // All of that name, ascending.
  std::span<const std::uint32_t> find(std::string_view name, Case letters) const;

 private:
  std::unordered_map<std::string, std::vector<std::uint32_t>> exact_, lower_;
};

}  // namespace dyad::ops
