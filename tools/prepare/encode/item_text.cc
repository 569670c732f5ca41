#include "tools/prepare/encode/item_text.h"
#include <algorithm>
#include <fmt/ranges.h>

namespace dyad::encode {

namespace {

// "" of an item of which nothing is known.
std::string known_text(const data::Item& item) {
  std::vector<std::string> categories;
  for (const auto& path : item.categories)
    for (const auto& c : path)
      if (!c.empty() && std::find(categories.begin(), categories.end(), c) == categories.end()) categories.push_back(c);
  std::string out;
  const auto sentence = [&](const std::string& text) {
    if (!text.empty()) out += (out.empty() ? "" : " ") + text + ".";
  };
  sentence(item.title);
  if (!item.brand.empty()) sentence("Brand: " + item.brand);
  if (!categories.empty()) sentence(fmt::format("Categories: {}", fmt::join(categories, ", ")));
  return out;
}

}  // namespace

std::string item_text(const data::Item& item) {
  const std::string known = known_text(item);
  return known.empty() ? item.key : known;
}

bool has_text(const data::Item& item) { return !known_text(item).empty(); }

}  // namespace dyad::encode
