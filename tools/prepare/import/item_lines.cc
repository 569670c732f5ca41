#include "tools/prepare/import/item_lines.h"

#include <algorithm>
#include <iterator>
#include "common/base/printable.h"
#include "tools/prepare/import/formats.h"

namespace dyad::importer {
namespace {

using Json = nlohmann::json;

bool is_absent(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null();
}

Result<std::string> text_of(const Json& object, const std::string& name, const Place& place) {
  if (is_absent(object, name)) return std::string();
  const Json& value = object.at(name);
  if (!value.is_string()) return refuse(place, "'{}' is {}, not a string", printable(name), value.type_name());
  return value.get<std::string>();
}

// Keys are strings or whole numbers, as in the interactions.
Result<std::string> key_of(const Json& object, const std::string& name, const Place& place) {
  if (is_absent(object, name)) {
    std::string names;
    for (const auto& [other, value] : object.items()) names += (names.empty() ? "" : ", ") + other;
    return refuse(place, "no '{}'; it has {}; --item-key names another", printable(name), printable(names, 400));
  }
  const Json& value = object.at(name);
  if (value.is_number_integer()) return value.dump();
  return text_of(object, name, place);
}

Result<std::vector<std::vector<std::string>>> paths_of(const Json& object, const std::string& name,
                                                       const Place& place) {
  std::vector<std::vector<std::string>> paths;
  if (is_absent(object, name)) return paths;
  const Json& value = object.at(name);
  const auto refused = [&] {
    return refuse(place, "'{}' is neither a list of lists of strings (paths, broad to narrow) nor one list of strings",
                  printable(name));
  };
  if (value.is_string()) return std::vector<std::vector<std::string>>{{value.get<std::string>()}};
  if (!value.is_array()) return refused();
  std::vector<std::string> flat;
  for (const Json& part : value) {
    if (part.is_string()) flat.push_back(part.get<std::string>());
    if (part.is_string() || part.is_null()) continue;
    if (!part.is_array()) return refused();
    paths.emplace_back();
    for (const Json& one : part) {
      if (one.is_null()) continue;
      if (!one.is_string()) return refused();
      paths.back().push_back(one.get<std::string>());
    }
  }
  if (!flat.empty() && !paths.empty()) return refused();
  if (!flat.empty()) paths.push_back(std::move(flat));
  return paths;
}

}  // namespace

std::string not_json_hint(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  const std::string_view text = line.substr(begin);
  if (text.empty()) return "; the line is blank";
  if (text.starts_with("{'") || text.starts_with("{u'")) return "; single quotes are Python's, JSON has double ones";
  if (text.starts_with("[")) return "; of a JSON array write an object a line, e.g. jq -c '.[]' OLD > NEW";
  return text == "{" ? "; write an object a line, e.g. jq -c . OLD > NEW" : "";
}

Result<Json> parse_object(std::string_view line, const Lines& lines) {
  DYAD_TRYV(lines.require_utf8());
  std::set<std::string> names;
  std::string twice;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth == 1 && event == Json::parse_event_t::key && !names.insert(value.get<std::string>()).second)
      twice = value.get<std::string>();
    return true;
  };
  Json object = Json::parse(line, watch, false);
  if (!object.is_object()) return refuse(lines.place(), "not a JSON object{}", not_json_hint(line));
  if (!twice.empty()) return refuse(lines.place(), "'{}' comes twice", printable(twice));
  return object;
}

ItemParser::ItemParser(const ItemColumns& names, std::set<std::string> also_read)
    : given_(names), names_{named(names.key, "key"), named(names.title, "title"), named(names.brand, "brand"),
                            named(names.categories, "categories")}, read_(std::move(also_read)) {
  read_.insert({names_.key, names_.title, names_.brand, names_.categories});
}

Result<data::Item> ItemParser::item_of(const Json& object, const Place& place) {
  DYAD_TRY(key, key_of(object, names_.key, place));
  DYAD_TRY(title, text_of(object, names_.title, place));
  DYAD_TRY(brand, text_of(object, names_.brand, place));
  DYAD_TRY(categories, paths_of(object, names_.categories, place));
  constexpr std::size_t kNamesMax = 100;
  for (const auto& [name, value] : object.items())
    if (seen_.size() < kNamesMax || read_.contains(name)) seen_.insert(name);
  return data::Item{std::move(key), std::move(title), std::move(brand), std::move(categories)};
}

Status ItemParser::finish(const std::filesystem::path& path, Intake& intake) const {
  std::vector<std::string> unused;
  std::set_difference(seen_.begin(), seen_.end(), read_.begin(), read_.end(), std::back_inserter(unused));
  for (const auto& [name, option] : {std::pair(given_.title, "--title-key"), std::pair(given_.brand, "--brand-key"),
                                     std::pair(given_.categories, "--categories-key")})
    if (!name.empty() && !seen_.contains(name))
      return fail(Code::kInvalid, "{}: no line has '{}' ({}); they have {}", path.string(), printable(name), option,
                  printable(fmt::format("{}", fmt::join(seen_, ", ")), 400));
  intake.not_used(path, unused);
  return ok();
}

Status read_item_lines(const std::filesystem::path& path, const ItemColumns& names, Intake& intake) {
  DYAD_TRY(lines, Lines::open(path));
  ItemParser parser(names, {});
  while (const auto line = lines.next()) {
    DYAD_TRY(object, parse_object(*line, lines));
    DYAD_TRY(item, parser.item_of(object, lines.place()));
    DYAD_TRYV(intake.describe(std::move(item), lines.place()));
  }
  return parser.finish(path, intake);
}

}  // namespace dyad::importer
