#include "tools/prepare/import/recbole_table.h"

#include <algorithm>
#include <array>
#include "common/base/printable.h"

namespace dyad::importer {
namespace {

constexpr std::array<std::string_view, 4> kTypes{"token", "token_seq", "float", "float_seq"};

// What separates the fields of a file that has no tabs where they belong; empty where nothing does.
std::string other_separator(std::string_view line) {
  if (line.find('\t') != std::string_view::npos) return "";
  if (line.find(',') != std::string_view::npos) return "commas";
  if (line.find(';') != std::string_view::npos) return "semicolons";
  if (line.find('|') != std::string_view::npos) return "bars";
  return line.find(' ') != std::string_view::npos ? "blanks" : "";
}

constexpr const char* kTabs = "fields are separated by tabs";

}  // namespace

Result<RecboleTable> RecboleTable::open(const std::filesystem::path& path) {
  RecboleTable table;
  DYAD_TRY(lines, Lines::open(path));
  table.lines_ = std::move(lines);
  const auto header = table.lines_->next();
  if (!header) return refuse(table.lines_->place(), "empty, wanted a header such as user_id:token");
  DYAD_TRYV(table.lines_->require_utf8());
  DYAD_TRYV(table.take_header(*header));
  return table;
}

Status RecboleTable::take_header(std::string_view header) {
  if (const std::string separator = other_separator(header); !separator.empty())
    return refuse(lines_->place(), "{}, this header has {}; convert the file", kTabs, separator);
  std::vector<std::string_view> fields;
  split(header, '\t', fields);
  for (const std::string_view field : fields) {
    const Place place = lines_->place_of(field);
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return refuse(place, "'{}' is not NAME:TYPE, as RecBole's headers are (user_id:token, timestamp:float)",
                    printable(field));
    std::string name(field.substr(0, colon)), type(field.substr(colon + 1));
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
      return refuse(place, "'{}' has no type of RecBole's; they are {}", printable(field), fmt::join(kTypes, ", "));
    if (column({name})) return refuse(place, "column '{}' comes twice", printable(name));
    names_.push_back(std::move(name));
    types_.push_back(std::move(type));
  }
  return ok();
}

std::optional<std::size_t> RecboleTable::column(std::initializer_list<std::string> names) const {
  for (const std::string& name : names) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
  }
  return std::nullopt;
}

Result<std::size_t> RecboleTable::required(const std::string& name, const char* option) const {
  if (const auto found = column({name})) return *found;
  return refuse(header(), "no column '{}'; it has {}; {} names another", printable(name),
                printable(fmt::format("{}", fmt::join(names_, ", ")), 400), option);
}

Result<bool> RecboleTable::next() {
  const auto line = lines_->next();
  if (!line) return false;
  DYAD_TRYV(lines_->require_utf8());
  split(*line, '\t', fields_);
  if (fields_.size() == names_.size()) return true;
  const std::string separator = fields_.size() == 1 ? other_separator(*line) : "";
  return refuse(lines_->place_of(fields_.back()), "{} fields, the header has {}{}", fields_.size(), names_.size(),
                separator.empty() ? "" : fmt::format("; {}, this line has {}", kTabs, separator));
}

}  // namespace dyad::importer
