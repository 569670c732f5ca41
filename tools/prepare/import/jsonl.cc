#include <array>
#include <set>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"
#include "tools/prepare/import/formats.h"
#include "tools/prepare/import/input_files.h"
#include "tools/prepare/import/item_lines.h"

namespace dyad::importer {
namespace {

using Json = nlohmann::json;

struct Field {
  std::string name;
  const char* option = "";
  bool seen = false, null = false, good = true, whole = true,
       list = false;                                         // whole: no number with a point or exponent
  std::string text;                                          // a string, or a number as its digits
  std::vector<std::string> items;                            // of a list of strings and whole numbers
  void clear() {
    seen = null = list = false;
    good = whole = true;
    text.clear();
    items.clear();
  }
};
enum Role : std::size_t { kUser, kItem, kTime, kRating, kHistory, kRoles };

// Takes fields of an object's first level as the parser passes by: no tree is built, and a key that comes twice is
// noticed. Other keys are added to `others`.
class EventSax : public nlohmann::json_sax<Json> {
 public:
  EventSax(std::vector<Field>& fields, std::set<std::string>& others) : fields_(fields), others_(others) {
    for (Field& field : fields_) field.clear();
  }
  bool null() override {
    if (current_ != nullptr && depth_ == 1) current_->null = true;
    else if (current_ != nullptr) current_->good = false;
    return done();
  }
  bool boolean(bool) override { return unfit(); }
  bool number_integer(std::int64_t v) override { return take(std::to_string(v)); }
  bool number_unsigned(std::uint64_t v) override { return take(std::to_string(v)); }
  bool number_float(double, const std::string& digits) override {   // also a whole number of more than 64 bits
    if (current_ != nullptr && digits.find_first_of(".eE") != std::string::npos) current_->whole = false;
    return take(digits);
  }
  bool string(std::string& v) override { return take(v); }
  bool binary(binary_t&) override { return unfit(); }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (depth_ != 1) return true;
    current_ = nullptr;
    for (Field& field : fields_)
      if (!field.name.empty() && field.name == name) current_ = &field;
    if (current_ == nullptr) {
      if (others_.size() < kOthersMax) others_.insert(name);
      other_ = name;
      return true;
    }
    if (current_->seen) twice = current_->name;
    current_->seen = true;
    return twice.empty();
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    error_column = position;
    return false;
  }
  bool object_at_top = false;
  std::size_t error_column = 0;
  std::string twice, suspect;                                // suspect: a list that nobody reads, by its name a history

 private:
  static constexpr std::size_t kOthersMax = 100;
  bool take(const std::string& text) {
    if (current_ != nullptr && depth_ == 1) current_->text = text;
    else if (current_ != nullptr) current_->items.push_back(text);   // of the list that is open
    return done();
  }
  bool unfit() {
    if (current_ != nullptr) current_->good = false;
    return done();
  }
  bool done() {
    if (depth_ == 1) current_ = nullptr;
    return true;
  }
  bool open(bool object) {
    if (depth_ == 0) object_at_top = object;
    if (depth_ == 1 && current_ == nullptr && !object && may_be_history(other_)) suspect = other_;
    if (depth_ == 1 && current_ != nullptr && !object) current_->list = true;
    else if (depth_ >= 1 && current_ != nullptr) current_->good = false;
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    return done();
  }

  std::vector<Field>& fields_;
  std::set<std::string>& others_;
  std::string other_;
  Field* current_ = nullptr;
  int depth_ = 0;
};

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
    if (is_ignored(given, fields_[kHistory].name)) fields_[kHistory].name.clear();
  }

  Status read(const std::filesystem::path& path) {
    while (const auto line = lines_.next()) {
      if (first_) { DYAD_TRYV(choose_item(*line)); }
      ++intake_.rows_read;
      DYAD_TRYV(read_line(*line));
    }
    for (const Role role : {kTime, kRating}) {
      const bool wanted = role == kTime ? !options_.columns.time.empty() : options_.min_rating.has_value();
      if (wanted && !seen_[role] && !first_)
        return refuse({&path}, "no line has '{}'; {} names another", printable(fields_[role].name),
                      fields_[role].option);
    }
    std::vector<std::string> unused;
    for (const std::string& name : others_) if (!is_ignored(options_.columns, name)) unused.push_back(name);
    intake_.not_used(path, unused);
    return ok();
  }

 private:
  // `--item-key` names the item's key in the file of items, and here too where nothing else does.
  Status choose_item(std::string_view line) {
    first_ = false;
    if (!options_.columns.item.empty() || options_.item_columns.key.empty()) return ok();
    EventSax sax(fields_, others_);
    (void)Json::sax_parse(line, &sax);                       // read_line() tells what is wrong with it
    if (!fields_[kItem].seen) fields_[kItem].name = options_.item_columns.key;
    others_.clear();
    return ok();
  }

  Place place_of(std::string_view line, const std::string& name) const {   // where a field's name stands
    const std::size_t at = line.find("\"" + name + "\"");
    return lines_.place(at == std::string_view::npos ? 1 : at + 1);
  }

  Status read_line(std::string_view line) {
    EventSax sax(fields_, others_);
    const bool parsed = Json::sax_parse(line, &sax);
    if (!sax.twice.empty()) return refuse(place_of(line, sax.twice), "'{}' comes twice", printable(sax.twice));
    if (!parsed) {
      DYAD_TRYV(lines_.require_utf8());
      return refuse(lines_.place(std::max<std::size_t>(sax.error_column, 1)), "not JSON{}", not_json_hint(line));
    }
    if (!sax.object_at_top) return refuse(lines_.place(1), "not a JSON object{}", not_json_hint(line));
    if (!sax.suspect.empty() && !is_ignored(options_.columns, sax.suspect))
      return refuse(place_of(line, sax.suspect), "{}", unread_history(sax.suspect));
    DYAD_TRYV(check_key(line, fields_[kUser]));
    Field& history = fields_[kHistory];
    const bool has_history = history.seen && !history.null;
    if (has_history) { DYAD_TRYV(add_history(line)); }
    const bool no_item = !fields_[kItem].seen || fields_[kItem].null;
    if (has_history && no_item) return ok();                 // the whole row is a history
    DYAD_TRYV(check_key(line, fields_[kItem]));
    DYAD_TRY(keep, is_rated_enough(line));
    if (!keep) return ok();
    DYAD_TRY(time, time_of(line));
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
    names.insert(names.end(), others_.begin(), others_.end());
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
    return intake_.add_history({fields_[kUser].text, items, {}, whole}, place);
  }

  Result<bool> is_rated_enough(std::string_view line) {
    if (!options_.min_rating) return true;
    const Field& rating = fields_[kRating];
    seen_[kRating] = seen_[kRating] || rating.seen;
    const auto value = number<double>(rating.text);
    if (rating.seen && !rating.null && (!rating.good || rating.list || !value))
      return refuse(place_of(line, rating.name), "'{}' is not a number", printable(rating.name));
    const bool enough = value && *value >= *options_.min_rating;
    intake_.low_ratings += !enough;
    return enough;
  }

  Result<Time> time_of(std::string_view line) {
    const Field& field = fields_[kTime];
    seen_[kTime] = seen_[kTime] || field.seen;
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
  std::set<std::string> others_;
  std::array<bool, kRoles> seen_{};                          // in some line: time and rating
  bool first_ = true;
};

}  // namespace

Status read_jsonl(const Options& options, Intake& intake) {
  DYAD_TRYV(check_items_are_there(options.item_columns, !options.items.empty()));
  DYAD_TRY(files, input_files(options, {".jsonl", ".json", ".ndjson", ".jsonl.gz", ".json.gz", ".ndjson.gz"}, intake));
  for (const std::filesystem::path& path : files) {
    DYAD_TRY(lines, Lines::open(path));
    DYAD_TRYV(Events(options, lines, intake).read(path));
  }
  return options.items.empty() ? ok() : read_item_lines(options.items, options.item_columns, intake);
}

}  // namespace dyad::importer
