#include <array>
#include <set>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"
#include "tools/prepare/import/event_sax.h"
#include "tools/prepare/import/formats.h"
#include "tools/prepare/import/input_files.h"
#include "tools/prepare/import/item_lines.h"
#include "tools/prepare/import/unread_columns.h"

namespace dyad::importer {
namespace {

using Json = nlohmann::json;

enum Role : std::size_t { kUser, kItem, kTime, kRating, kHistory, kHistoryTimes, kRoles };

class Events {
 public:
  Events(const Options& options, Lines& lines, Intake& intake)
      : options_(options), lines_(lines), intake_(intake), fields_(kRoles) {
    const Columns& given = options.columns;
    fields_[kUser] = {named(given.user, "user"), "--user-column"};
    fields_[kItem] = {named(given.item, "item"), "--item-column"};
    fields_[kTime] = {named(given.time, "time"), "--time-column"};
    fields_[kRating] = {options.min_rating ? named(given.rating, "rating") : "", "--rating-column"};
    fields_[kHistory] = {named(given.history, (fields_[kItem].name + "_list").c_str()), "--history-column"};
    fields_[kHistoryTimes] = {fields_[kTime].name + "_list", "--time-column"};
    for (const Role role : {kTime, kHistory, kHistoryTimes})
      if (is_ignored(given, fields_[role].name)) fields_[role].name.clear();
  }

  Status read(const std::filesystem::path& path) {
    while (const auto line = lines_.next()) {
      if (first_) { DYAD_TRYV(choose_item(*line)); }
      ++intake_.rows_read;
      DYAD_TRYV(read_line(*line));
    }
    const Columns& given = options_.columns;
    for (const auto& [role, wanted] : {std::pair(kTime, !given.time.empty()), {kHistory, !given.history.empty()},
                                       {kRating, options_.min_rating.has_value()}})
      if (wanted && !seen_[role] && !(role == kTime && seen_[kHistoryTimes]) && !first_)
        return refuse({&path}, "no line has '{}'; {} names another", printable(fields_[role].name),
                      fields_[role].option);
    return look_at_unread(path);
  }

 private:
  Status look_at_unread(const std::filesystem::path& path) {
    std::vector<std::string> unused;
    for (const auto& [name, suspect] : others_) if (!is_ignored(options_.columns, name)) unused.push_back(name);
    intake_.not_used(path, unused);
    for (const auto& [name, suspect] : others_) intake_.columns.insert(name);
    for (std::size_t role = 0; role < kRoles; ++role) if (seen_[role]) intake_.columns.insert(fields_[role].name);
    if (seen_[kTime] || seen_[kHistoryTimes]) return ok();
    return refuse_unread_times({&path}, unused, named(options_.columns.time, "time"));
  }

  // `--item-key` names the item's key in the file of items, and here too where nothing else does.
  Status choose_item(std::string_view line) {
    first_ = false;
    if (options_.item_columns.key.empty()) return ok();
    EventSax sax(fields_, others_, options_.columns);
    (void)Json::sax_parse(line, &sax);                       // read_line() tells what is wrong with it
    others_.clear();
    const bool here = options_.columns.item.empty() && !fields_[kItem].seen;
    if (here) fields_[kItem].name = options_.item_columns.key;
    return here ? ok() : check_items_are_there(options_.item_columns, !options_.items.empty(), true);
  }

  Place place_of(std::string_view line, const std::string& name) const {   // where a field's name stands
    const std::size_t at = line.find("\"" + name + "\"");
    return lines_.place(at == std::string_view::npos ? 1 : at + 1);
  }

  Status read_line(std::string_view line) {
    EventSax sax(fields_, others_, options_.columns);
    const bool parsed = Json::sax_parse(line, &sax);
    if (!sax.twice.empty()) return refuse(place_of(line, sax.twice), "'{}' comes twice", printable(sax.twice));
    if (!parsed) {
      DYAD_TRYV(lines_.require_utf8());
      return refuse(lines_.place(std::max<std::size_t>(sax.error_column, 1)), "not JSON{}", not_json_hint(line));
    }
    if (!sax.object_at_top) return refuse(lines_.place(1), "not a JSON object{}", not_json_hint(line));
    if (!sax.suspected.empty())
      return refuse(place_of(line, sax.suspected), "{}", unread_history(sax.suspected, sax.suspect_holds));
    for (std::size_t role = 0; role < kRoles; ++role) seen_[role] = seen_[role] || fields_[role].seen;
    DYAD_TRYV(check_key(line, fields_[kUser]));
    Field& history = fields_[kHistory];
    const bool has_history = history.seen && !history.null;
    if (has_history) { DYAD_TRYV(add_history(line)); }
    else if (fields_[kHistoryTimes].seen && !fields_[kHistoryTimes].null)
      return refuse(place_of(line, fields_[kHistoryTimes].name), "'{}' has the times of '{}', which is not here",
                    printable(fields_[kHistoryTimes].name), printable(history.name));
    const bool no_item = !fields_[kItem].seen || fields_[kItem].null;
    if (has_history && no_item) return ok();                 // the whole row is a history
    DYAD_TRYV(check_key(line, fields_[kItem]));
    DYAD_TRY(keep, is_rated_enough(line));
    if (!keep) return ok();
    const bool times_are_of_history = has_history && fields_[kTime].list && clock_ == &fields_[kTime];
    DYAD_TRY(time, times_are_of_history ? Time{} : time_of(line));
    return intake_.add(fields_[kUser].text, fields_[kItem].text, time, place_of(line, fields_[kTime].name));
  }

  Status check_key(std::string_view line, const Field& field) const {
    if (!field.seen) {
      const std::string names = fmt::format("{}", fmt::join(names_seen(), ", "));
      return refuse(lines_.place(1), "no '{}'; it has {}; {} names another", printable(field.name),
                    names.empty() ? "nothing" : printable(names, 400), field.option);
    }
    const Place place = place_of(line, field.name);
    const std::string name = printable(field.name);
    if (field.null) return refuse(place, "'{}' is null", name);
    if (field.list)
      return refuse(place, "'{}' is a list; --history-column names a list of a user's items", name);
    if (!field.good || field.text.empty()) return refuse(place, "'{}' is not a string or a number", name);
    if (field.whole) return ok();                            // 17 and 17.0 would be two keys
    return refuse(place, "'{}' is {}, not a whole number; write a whole number or a string", name,
                  printable(field.text));
  }

  std::vector<std::string> names_seen() const {
    std::vector<std::string> names;
    for (const Field& field : fields_) if (field.seen) names.push_back(field.name);
    for (const auto& [name, suspect] : others_) names.push_back(name);
    return names;
  }

  Status add_history(std::string_view line) {
    const Field& history = fields_[kHistory];
    const Place place = place_of(line, history.name);
    if (!history.list || !history.good || !history.whole)
      return refuse(place, "'{}' is not a list of strings and whole numbers", printable(history.name));
    if (options_.min_rating)
      return refuse(place, "--min-rating and histories ('{}'): a history has no ratings", printable(history.name));
    const std::vector<std::string_view> items(history.items.begin(), history.items.end());
    const bool whole = !fields_[kItem].seen || fields_[kItem].null;
    DYAD_TRYV(take_times(line, items.size(), whole));
    return intake_.add_history({fields_[kUser].text, items, times_, whole}, place);
  }

  // The times of a history of `count` items: those of `time_list`, or of `time` where it is a list.
  Status take_times(std::string_view line, std::size_t count, bool whole) {
    times_.clear();
    const Field &time = fields_[kTime], &list = fields_[kHistoryTimes];
    clock_ = list.seen && !list.null ? &list : time.list ? &time : nullptr;
    if (whole && time.seen && !time.null && clock_ != &time)
      return refuse(place_of(line, time.name), "'{}' is not a list of the times of '{}'; leave it out with "
                    "--ignore-column", printable(time.name), printable(fields_[kHistory].name));
    if (clock_ == nullptr) return ok();
    const Place place = place_of(line, clock_->name);
    const std::string name = printable(clock_->name);
    if (!clock_->good || !clock_->list) return refuse(place, "'{}' is not a list of times", name);
    if (clock_->items.size() != count)
      return refuse(place, "'{}' has {} times, '{}' has {} items", name, clock_->items.size(),
                    printable(fields_[kHistory].name), count);
    for (const std::string& text : clock_->items) {
      const auto parsed = parse_time(text);
      if (!parsed)
        return refuse(place, "'{}': '{}' is not a time in seconds since 1970 or a date", name, printable(text));
      times_.push_back(*parsed);
    }
    return ok();
  }

  Result<bool> is_rated_enough(std::string_view line) {
    if (!options_.min_rating) return true;
    const Field& rating = fields_[kRating];
    const auto value = number<double>(rating.text);
    if (rating.seen && !rating.null && (!rating.good || rating.list || !value))
      return refuse(place_of(line, rating.name), "'{}' is not a number", printable(rating.name));
    const bool enough = value && *value >= *options_.min_rating;
    intake_.low_ratings += !enough;
    return enough;
  }

  Result<Time> time_of(std::string_view line) {
    const Field& field = fields_[kTime];
    if (!field.seen || field.null) return Time{};
    const auto time = field.good && !field.list ? parse_time(field.text) : std::nullopt;
    if (time) return *time;
    return refuse(place_of(line, field.name), "'{}' is not a time in seconds since 1970 or a date",
                  printable(field.name));
  }

  const Options& options_;
  Lines& lines_;
  Intake& intake_;
  std::vector<Field> fields_;
  Others others_;
  std::array<bool, kRoles> seen_{};                          // in some line
  const Field* clock_ = nullptr;                             // of the line's history: the list of its times
  std::vector<Time> times_;
  bool first_ = true;
};

}  // namespace

Status read_jsonl(const Options& options, Intake& intake) {
  DYAD_TRYV(check_items_are_there(options.item_columns, !options.items.empty(), false));
  DYAD_TRY(files, input_files(options, {".jsonl", ".json", ".ndjson", ".jsonl.gz", ".json.gz", ".ndjson.gz"}, intake));
  for (const std::filesystem::path& path : files) {
    DYAD_TRY(lines, Lines::open(path));
    DYAD_TRYV(Events(options, lines, intake).read(path));
  }
  return options.items.empty() ? ok() : read_item_lines(options.items, options.item_columns, intake);
}

}  // namespace dyad::importer
