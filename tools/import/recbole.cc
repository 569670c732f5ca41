#include <algorithm>
#include "common/base/check.h"
#include "tools/import/formats.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;

// The typed header ("user_id:token<TAB>timestamp:float") and the fields of each line under it.
class Table {
 public:
  static Result<Table> open(const fs::path& path) {
    Table table;
    DYAD_TRY(lines, Lines::open(path));
    table.lines_ = std::move(lines);
    const auto header = table.lines_->next();
    if (!header) return refuse(table.lines_->place(), "empty, wanted a header such as user_id:token");
    DYAD_TRYV(table.lines_->require_utf8());
    std::vector<std::string_view> fields;
    split(*header, '\t', fields);
    for (const std::string_view field : fields) {
      const std::size_t colon = field.find(':');
      if (colon == std::string_view::npos || colon == 0)
        return refuse(table.lines_->place_of(field), "'{}' is not NAME:TYPE, as RecBole's headers are", field);
      const std::string name(field.substr(0, colon));
      if (std::find(table.names_.begin(), table.names_.end(), name) != table.names_.end())
        return refuse(table.lines_->place_of(field), "column '{}' comes twice", name);
      table.names_.push_back(name);
    }
    return table;
  }
  std::optional<std::size_t> column(std::initializer_list<std::string> names) const {   // the first that is there
    for (const std::string& name : names) {
      const auto found = std::find(names_.begin(), names_.end(), name);
      if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    }
    return std::nullopt;
  }
  Result<std::size_t> required(const std::string& name) const {
    if (const auto found = column({name})) return *found;
    return refuse({lines_->place().file, 1}, "no column '{}'", name);
  }
  // False at the end. Fails when a line is not UTF-8 or has not as many fields as the header.
  Result<bool> next() {
    const auto line = lines_->next();
    if (!line) return false;
    DYAD_TRYV(lines_->require_utf8());
    split(*line, '\t', fields_);
    if (fields_.size() != names_.size())
      return refuse(lines_->place_of(fields_.back()), "{} fields, the header has {}", fields_.size(), names_.size());
    return true;
  }
  std::string_view field(std::size_t column) const { return fields_[column]; }
  std::string text(std::optional<std::size_t> column) const {
    return column ? std::string(fields_[*column]) : std::string();
  }
  Place place_of(std::size_t column) const { return lines_->place_of(fields_[column]); }

 private:
  std::optional<Lines> lines_;
  std::vector<std::string> names_;
  std::vector<std::string_view> fields_;
};

Status read_interactions(const fs::path& path, const Options& options, Intake& intake) {
  const auto named = [](const std::string& given, const char* otherwise) { return given.empty() ? otherwise : given; };
  DYAD_TRY(table, Table::open(path));
  DYAD_TRY(user, table.required(named(options.user_column, "user_id")));
  DYAD_TRY(item, table.required(named(options.item_column, "item_id")));
  const auto time = table.column({named(options.time_column, "timestamp")});
  if (!options.time_column.empty()) {
    DYAD_TRYV(table.required(options.time_column));
  }
  for (;;) {
    DYAD_TRY(more, table.next());
    if (!more) return ok();
    std::optional<std::int64_t> when = -1;
    if (time && !table.field(*time).empty()) when = seconds(table.field(*time));
    if (!when) return refuse(table.place_of(*time), "'{}' is not a time in seconds", table.field(*time));
    const Place place = table.place_of(table.field(user).empty()   ? user
                                       : table.field(item).empty() ? item
                                                                   : time.value_or(user));
    DYAD_TRYV(intake.add(table.field(user), table.field(item), *when, place));
  }
}

// "Toy Story" of 1995 is "Toy Story (1995)": several films share a title.
std::string with_year(std::string title, const std::string& year) {
  if (title.empty() || year.empty() || title.ends_with(")")) return title;
  return title + " (" + year + ")";
}

Status read_items(const fs::path& path, Intake& intake) {
  DYAD_TRY(table, Table::open(path));
  DYAD_TRY(key, table.required("item_id"));
  const auto title = table.column({"movie_title", "title", "name"}), year = table.column({"release_year"});
  const auto brand = table.column({"brand"}), category = table.column({"class", "genre", "genres", "categories"});
  std::vector<std::string_view> words;
  for (;;) {
    DYAD_TRY(more, table.next());
    if (!more) return ok();
    data::Item item{std::string(table.field(key)), with_year(table.text(title), table.text(year)), table.text(brand)};
    if (category) split(table.field(*category), ' ', words);   // a sequence of tokens: each a category of its own
    for (const std::string_view word : words)
      if (!word.empty()) item.categories.push_back({std::string(word)});
    DYAD_TRYV(intake.describe(std::move(item), table.place_of(key)));
  }
}

// A folder stands for the one .inter file in it.
Result<fs::path> inter_file(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".inter") found.push_back(entry.path());
  if (found.size() == 1) return found[0];
  return fail(Code::kInvalid, "{}: holds {} .inter files, wanted one; name the file", path.string(), found.size());
}

}  // namespace

Status read_recbole(const Options& options, Intake& intake) {
  std::vector<fs::path> inters, items;
  for (const fs::path& path : options.paths) {
    if (path.extension() == ".item") {
      items.push_back(path);
      continue;
    }
    DYAD_TRY(inter, inter_file(path));
    inters.push_back(inter);
  }
  if (inters.empty()) return fail(Code::kInvalid, "{}: no .inter file given", options.paths[0].string());
  for (const fs::path& inter : inters) {
    DYAD_TRYV(read_interactions(inter, options, intake));
    const fs::path beside = fs::path(inter).replace_extension(".item");
    if (fs::exists(beside) && std::find(items.begin(), items.end(), beside) == items.end()) items.push_back(beside);
  }
  for (const fs::path& file : items) {
    DYAD_TRYV(read_items(file, intake));
  }
  return ok();
}

}  // namespace dyad::importer
