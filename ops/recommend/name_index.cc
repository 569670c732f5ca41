#include "ops/recommend/name_index.h"

#include <cctype>

namespace dyad::ops {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void NameIndex::add(std::string_view name, std::uint32_t number) {
  if (name.empty()) return;
  exact_[std::string(name)].push_back(number);
  lower_[lower(name)].push_back(number);
}

std::span<const std::uint32_t> NameIndex::find(std::string_view name, Case letters) const {
  const auto& names = letters == Case::kExact ? exact_ : lower_;
  const auto found = names.find(letters == Case::kExact ? std::string(name) : lower(name));
  return found == names.end() ? std::span<const std::uint32_t>() : found->second;
}

}  // namespace dyad::ops
