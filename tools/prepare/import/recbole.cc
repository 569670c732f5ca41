#include <algorithm>
#include <array>
#include "common/base/printable.h"
#include "tools/prepare/import/formats.h"
#include "tools/prepare/import/recbole_table.h"
#include "tools/prepare/import/unread_columns.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;
using Column = std::optional<std::size_t>;

// What the columns of an .inter file are to us.
struct Roles {
  std::size_t user = 0;
  Column item, time, rating;
  Column history, history_times;                             // lists: of items (before `item`, where that is), of times
  std::vector<std::size_t> suspects;                         // unread text that is a history by its name
  bool reads(std::size_t c) const {
    return c == user || std::ranges::any_of(std::array{item, time, rating, history, history_times},
                                            [c](Column column) { return column == c; });
  }
};

// Columns that nobody reads and that may be histories or times.
Status look_at_unread(const RecboleTable& table, const Columns& columns, Roles& roles) {
  std::vector<std::string> unread;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    const std::string& name = table.name(c);
    if (roles.reads(c) || is_ignored(columns, name)) continue;
    unread.push_back(name);
    const Holds holds = table.is_list(c) ? Holds::kLists : table.type(c) == "token" ? Holds::kText : Holds::kNumbers;
    if (!may_be_history(name, holds)) continue;
    if (holds == Holds::kLists) return refuse(table.header(), "{}", unread_history(name, holds));
    roles.suspects.push_back(c);                             // the rows tell whether it holds several keys
  }
  if (roles.time || roles.history_times) return ok();
  return refuse_unread_times(table.header(), unread, named(columns.time, "timestamp"));
}

Result<Roles> roles_of(const RecboleTable& table, const Options& options) {
  const Columns& given = options.columns;
  const std::string item = named(given.item, "item_id"), time = named(given.time, "timestamp");
  Roles roles;
  DYAD_TRY(user, table.required(named(given.user, "user_id"), "--user-column"));
  roles.user = user;
  if (table.is_list(user)) return refuse(table.header(), "column '{}' holds lists of users", table.name(user));
  if (!given.history.empty()) { DYAD_TRYV(table.required(given.history, "--history-column")); }
  roles.history = table.column({named(given.history, (item + "_list").c_str())});
  if (roles.history && is_ignored(given, table.name(*roles.history))) roles.history.reset();
  if (const Column found = table.column({item}); found && table.is_list(*found)) roles.history = found;
  else roles.item = found;
  if (!roles.history || !given.item.empty()) {             // a row may be a history and no more
    DYAD_TRYV(table.required(item, "--item-column"));
  }
  roles.time = table.column({time});
  if (is_ignored(given, time)) roles.time.reset();
  if (!given.time.empty()) { DYAD_TRYV(table.required(time, "--time-column")); }
  roles.history_times = table.column({time + "_list"});
  if (is_ignored(given, time + "_list")) roles.history_times.reset();
  if (roles.time && table.is_list(*roles.time)) roles.history_times = std::exchange(roles.time, std::nullopt);
  if (!roles.history) roles.history_times.reset();
  if (!roles.item && roles.time)
    return refuse(table.header(), "column '{}' has one time a row, whose items are those of '{}'; write a time for "
                  "each as {}_list:float_seq, or leave it out with --ignore-column {}", printable(time),
                  printable(table.name(*roles.history)), printable(time), printable(time));
  const std::string rating = named(given.rating, "rating");
  if (options.min_rating) {
    DYAD_TRY(found, table.required(rating, "--rating-column"));
    roles.rating = found;
    if (roles.history)
      return refuse(table.header(), "--min-rating and histories ('{}'): a history has no ratings",
                    table.name(*roles.history));
  }
  DYAD_TRYV(look_at_unread(table, given, roles));
  return roles;
}

void report_unused(const fs::path& path, const RecboleTable& table, const Columns& columns,
                   std::initializer_list<Column> used, Intake& intake) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < table.columns(); ++c) intake.columns.insert(table.name(c));
  for (std::size_t c = 0; c < table.columns(); ++c)
    if (std::find(used.begin(), used.end(), Column(c)) == used.end() && !is_ignored(columns, table.name(c)))
      names.push_back(table.name(c));
  intake.not_used(path, names);
}

class Interactions {
 public:
  Interactions(RecboleTable& table, const Roles& roles, const Options& options, Intake& intake)
      : table_(table), roles_(roles), options_(options), intake_(intake) {}
  Status read() {
    for (;;) {
      DYAD_TRY(more, table_.next());
      if (!more) return ok();
      ++intake_.rows_read;
      DYAD_TRYV(read_row());
    }
  }

 private:
  Status read_row() {
    const std::string_view user = table_.field(roles_.user);
    for (const std::size_t c : roles_.suspects)
      if (is_several(table_.field(c)))
        return refuse(table_.place_of(c), "{}", unread_history(table_.name(c), Holds::kText));
    if (roles_.history) {
      DYAD_TRYV(read_history(user));
    }
    if (!roles_.item) return ok();
    const std::string_view item = table_.field(*roles_.item);
    DYAD_TRY(keep, is_rated_enough());
    if (!keep) return ok();
    Time when;
    if (roles_.time) {
      DYAD_TRY(time, time_of(table_.field(*roles_.time), *roles_.time));
      when = time;
    }
    const Place place = table_.place_of(user.empty()   ? roles_.user
                                        : item.empty() ? *roles_.item
                                                       : roles_.time.value_or(roles_.user));
    return intake_.add(user, item, when, place);
  }

  Result<Time> time_of(std::string_view text, std::size_t column) const {
    if (text.empty()) return Time{};
    const auto when = parse_time(text);
    if (when) return *when;
    return refuse(table_.place_of(column), "'{}' is not a time in seconds since 1970 or a date", printable(text));
  }

  Status read_history(std::string_view user) {
    split_runs(table_.field(*roles_.history), " ", items_);
    if (is_of_other_separators())
      return refuse(table_.place_of(*roles_.history), "'{}': blanks separate the items of a history, nothing else",
                    printable(table_.field(*roles_.history)));
    times_.clear();
    if (roles_.history_times) {
      split_runs(table_.field(*roles_.history_times), " ", words_);
      if (words_.size() != items_.size())
        return refuse(table_.place_of(*roles_.history_times), "{} times, '{}' has {} items", words_.size(),
                      table_.name(*roles_.history), items_.size());
      for (const std::string_view word : words_) {
        DYAD_TRY(time, time_of(word, *roles_.history_times));
        times_.push_back(time);
      }
    }
    if (!roles_.item && items_.empty()) return refuse(table_.place_of(*roles_.history), "no items");
    return intake_.add_history({user, items_, times_, !roles_.item}, table_.place_of(*roles_.history));
  }

  // "a,c,d", "a, c, d", "[1, 2]", "['a' 'b']", "a | b": taken as they stand they would be odd keys.
  bool is_of_other_separators() const {
    constexpr std::string_view kSeparators = ",;|[](){}";
    const auto holds = [&](std::string_view key) { return key.find_first_of(kSeparators) != std::string_view::npos; };
    const auto is_one = [&](std::string_view key) { return key.find_first_not_of(kSeparators) == key.npos; };
    const auto ends = [&](std::string_view key) { return kSeparators.substr(0, 3).find(key.back()) != key.npos; };
    if (items_.empty() || (roles_.item && holds(table_.field(*roles_.item)))) return false;   // keys are like that here
    const bool bracketed = std::string_view("[({").find(items_.front().front()) != std::string_view::npos &&
                           std::string_view("])}").find(items_.back().back()) != std::string_view::npos;
    const bool all_but_last_end = items_.size() > 1 && std::all_of(items_.begin(), items_.end() - 1, ends);
    return bracketed || all_but_last_end || std::ranges::any_of(items_, is_one) || std::ranges::all_of(items_, holds);
  }

  Result<bool> is_rated_enough() {
    if (!roles_.rating) return true;
    const std::string_view text = table_.field(*roles_.rating);
    const auto rating = number<double>(text);
    if (!rating && !text.empty())
      return refuse(table_.place_of(*roles_.rating), "'{}' is not a rating", printable(text));
    const bool enough = rating && *rating >= *options_.min_rating;
    intake_.low_ratings += !enough;
    return enough;
  }

  RecboleTable& table_;
  const Roles& roles_;
  const Options& options_;
  Intake& intake_;
  std::vector<std::string_view> items_, words_;
  std::vector<Time> times_;
};

Status read_interactions(const fs::path& path, const Options& options, Intake& intake) {
  DYAD_TRY(table, RecboleTable::open(path));
  DYAD_TRY(roles, roles_of(table, options));
  report_unused(path, table, options.columns,
                {Column(roles.user), roles.item, roles.time, roles.rating, roles.history, roles.history_times}, intake);
  intake.split.begin(part_of(path));
  return Interactions(table, roles, options, intake).read();
}

// "Toy Story" of 1995 is "Toy Story (1995)": several films share a title.
std::string with_year(std::string title, const std::string& year) {
  if (title.empty() || year.empty() || title.ends_with("(" + year + ")")) return title;
  return title + " (" + year + ")";
}

// The column that an option names, or the first of RecBole's usual names that is there.
Result<Column> column_of(const RecboleTable& table, const std::string& given, const char* option,
                         std::initializer_list<std::string> usual) {
  if (given.empty()) return table.column(usual);
  DYAD_TRY(found, table.required(given, option));
  return Column(found);
}

Status read_items(const fs::path& path, const Options& options, Intake& intake) {
  const ItemColumns& given = options.item_columns;
  DYAD_TRY(table, RecboleTable::open(path));
  DYAD_TRY(key, table.required(named(given.key, named(options.columns.item, "item_id").c_str()), "--item-key"));
  DYAD_TRY(title, column_of(table, given.title, "--title-key", {"movie_title", "title", "name"}));
  DYAD_TRY(brand, column_of(table, given.brand, "--brand-key", {"brand"}));
  DYAD_TRY(category,
           column_of(table, given.categories, "--categories-key", {"class", "genre", "genres", "categories"}));
  const Column year = table.column({"release_year"});
  report_unused(path, table, options.columns, {Column(key), title, year, brand, category}, intake);
  std::vector<std::string_view> words;
  for (;;) {
    DYAD_TRY(more, table.next());
    if (!more) return ok();
    data::Item item{std::string(table.field(key)), with_year(table.text(title), table.text(year)), table.text(brand)};
    if (category) split_runs(table.field(*category), " ", words);   // a list of tokens: each a category of its own
    for (const std::string_view word : words) item.categories.push_back({std::string(word)});
    DYAD_TRYV(intake.describe(std::move(item), table.place_of(key)));
  }
}

}  // namespace

Status read_recbole(const Options& options, Intake& intake) {
  if (!options.items.empty())
    return fail(Code::kInvalid, "--items is of jsonl and parquet; name RecBole's .item file beside the .inter file");
  DYAD_TRY(files, find_recbole(options.paths));
  DYAD_TRYV(check_items_are_there(options.item_columns, !files.items.empty(), true));
  for (const fs::path& inter : files.inters) {
    DYAD_TRYV(read_interactions(inter, options, intake));
  }
  for (const fs::path& file : files.items) {
    DYAD_TRYV(read_items(file, options, intake));
  }
  for (const fs::path& file : files.unread) intake.not_used(file, {file.filename().string()});
  return ok();
}

}  // namespace dyad::importer
