#include "tools/prepare/encode/item_keys.h"
#include <algorithm>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"
#include "tools/prepare/import/text_file.h"

namespace dyad::encode {
namespace {

using Json = nlohmann::json;

// Whole numbers as their digits, as `dyad import` reads them.
Result<std::string> text_of(const Json& value, const std::string& where) {
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  return fail(Code::kInvalid, "{}: {} is no key; strings and whole numbers are read", where,
              value.is_structured() ? value.type_name()
              : value.is_string()   ? "an empty text"
                                    : printable(value.dump()));
}

Result<std::vector<std::string>> read_list(std::string_view text, const std::string& file) {
  const Json list = Json::parse(text, nullptr, false);
  if (!list.is_array()) return fail(Code::kInvalid, "{}: no JSON list of keys", file);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    DYAD_TRY(key, text_of(list[i], fmt::format("{}: entry {}", file, i + 1)));
    out.push_back(std::move(key));
  }
  return out;
}

Result<std::string> key_of_line(std::string_view line, std::string& field, const std::string& where) {
  const Json value = Json::parse(line, nullptr, false);
  if (value.is_discarded()) return fail(Code::kInvalid, "{}: not JSON", where);
  if (!value.is_object() && field.empty()) return text_of(value, where);
  if (!value.is_object()) return fail(Code::kInvalid, "{}: no object, so it has no field '{}'", where, field);
  if (field.empty() || !value.contains(field)) {
    std::vector<std::string> names;
    for (const auto& [name, _] : value.items()) names.push_back(name);
    DYAD_TRY(found, key_field(names, field, where));
    field = found;
  }
  return text_of(value[field], fmt::format("{}: '{}'", where, field));
}

}  // namespace

Result<std::string> key_field(const std::vector<std::string>& names, const std::string& wanted,
                              const std::string& where) {
  std::vector<std::string> found;
  for (const std::string& name : names)
    if (wanted.empty() ? std::ranges::find(kKeyFields, name) != std::end(kKeyFields) : name == wanted)
      found.push_back(name);
  if (found.size() == 1) return found[0];
  if (wanted.empty() && std::ranges::find(found, kKeyFields[0]) != found.end()) return std::string(kKeyFields[0]);
  return fail(Code::kInvalid, "{}: {}; name the one of the items' keys by --item-column; it has {}", where,
              !wanted.empty()  ? fmt::format("no '{}' (or it comes twice)", wanted)
              : found.empty() ? fmt::format("none of {}", fmt::join(kKeyFields, ", "))
                              : fmt::format("{} could all be the key", fmt::join(found, ", ")),
              printable(fmt::format("{}", fmt::join(names, ", ")), 400));
}

Result<std::vector<std::string>> read_keys(const std::filesystem::path& file, const std::string& field) {
  DYAD_TRY(input, importer::TextFile::open(file));
  std::string_view text = input.text();
  if (text.find('\0') != std::string_view::npos)
    return fail(Code::kInvalid, "{}: no text; give a key a line, or JSON", file.string());
  const auto kind = (file.extension() == ".gz" ? file.stem() : file).extension();
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const bool list = kind == ".json" && begin != std::string_view::npos && text[begin] == '[';
  const bool json = kind == ".jsonl" || kind == ".ndjson" || kind == ".json";
  if (!field.empty() && (list || !json))
    return fail(Code::kInvalid, "{}: --item-column {}, but the keys of this file are in no field; leave it out",
                file.string(), field);
  if (list) return read_list(text, file.string());
  std::vector<std::string> out;
  std::string name = field;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string where = fmt::format("{}:{}", file.string(), out.size() + 1);
    if (line.empty()) return fail(Code::kInvalid, "{}: an empty line; each row needs a key", where);
    if (!json) { out.emplace_back(line); continue; }
    DYAD_TRY(key, key_of_line(line, name, where));
    out.push_back(std::move(key));
  }
  return out;
}

}  // namespace dyad::encode
