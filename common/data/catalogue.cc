#include "common/data/catalogue.h"

#include <nlohmann/json.hpp>

namespace dyad::data {
namespace {

using Json = nlohmann::ordered_json;

Result<std::string> optional_text(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return fail(Code::kInvalid, "{}: '{}' is not a string", where, key);
  return found->get<std::string>();
}

Result<std::vector<std::vector<std::string>>> category_paths(const Json& object, const std::string& where) {
  std::vector<std::vector<std::string>> paths;
  const auto found = object.find("categories");
  if (found == object.end()) return paths;
  const auto refused = [&] {
    return fail(Code::kInvalid, "{}: 'categories' is not a list of lists of strings", where);
  };
  if (!found->is_array()) return refused();
  for (const Json& path : *found) {
    if (!path.is_array()) return refused();
    std::vector<std::string>& out = paths.emplace_back();
    for (const Json& name : path) {
      if (!name.is_string()) return refused();
      out.push_back(name.get<std::string>());
    }
  }
  return paths;
}

}  // namespace

std::uint64_t digest_of_keys(std::span<const Item> items) {
  Digest digest;
  for (const Item& item : items) {
    digest.update(std::as_bytes(std::span(item.key)));
    digest.update(std::as_bytes(std::span("\n", 1)));
  }
  return digest.value();
}

std::string catalogue_line(const Item& item) {
  Json line = {{"key", item.key}};
  if (!item.title.empty()) line["title"] = item.title;
  if (!item.brand.empty()) line["brand"] = item.brand;
  if (!item.categories.empty()) line["categories"] = item.categories;
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Item> parse_catalogue_line(std::string_view line, const std::string& where) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return fail(Code::kInvalid, "{}: not a JSON object", where);
  Item item;
  DYAD_TRY(key, optional_text(object, "key", where));
  DYAD_TRY(title, optional_text(object, "title", where));
  DYAD_TRY(brand, optional_text(object, "brand", where));
  DYAD_TRY(categories, category_paths(object, where));
  if (key.empty()) return fail(Code::kInvalid, "{}: no 'key'", where);
  return Item{std::move(key), std::move(title), std::move(brand), std::move(categories)};
}

Result<std::vector<Item>> parse_catalogue(std::string_view text, const std::string& file) {
  std::vector<Item> items;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    DYAD_TRY(item, parse_catalogue_line(text.substr(0, end), fmt::format("{}:{}", file, items.size() + 1)));
    items.push_back(std::move(item));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

}  // namespace dyad::data
