#include <unordered_set>
#include <nlohmann/json.hpp>
#include "common/base/check.h"
#include "common/base/printable.h"
#include "tools/prepare/import/formats.h"
#include "tools/prepare/import/item_lines.h"
#include "tools/prepare/import/s3rec_files.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kBlanks = " \t";

// items.jsonl: the lines must carry the ids 1, 2, 3, ... Where a title is missing, keywords stand in for it.
Status read_items(const fs::path& path, const ItemColumns& names, Intake& intake) {
  DYAD_TRY(lines, Lines::open(path));
  ItemParser parser(names, {"id", "keywords"});
  while (const auto line = lines.next()) {
    const Place place = lines.place();
    DYAD_TRY(object, parse_object(*line, lines));
    const auto id = object.find("id");
    if (id == object.end() || !id->is_number_unsigned() || id->get<std::uint64_t>() != place.line)
      return refuse(place, "'id' is {}, wanted {} (ids count from 1, a line each)",
                    id == object.end()     ? "missing"
                    : id->is_structured()  ? id->type_name()   // dump() recurses as deep as it is nested
                                           : printable(id->dump()),
                    place.line);
    const auto keywords = object.find("keywords");
    const std::string words = keywords != object.end() && keywords->is_string() ? keywords->get<std::string>() : "";
    DYAD_TRY(item, parser.item_of(object, place));
    if (item.title.empty()) item.title = words;
    DYAD_TRYV(intake.describe(std::move(item), place));
  }
  return parser.finish(path, intake);
}

// NAME_item2attributes.json, {"1": [3, 5], ...}: it tells which items there are. What the numbers of the attributes
// mean no file says, so they make no text.
Status read_attributes(const fs::path& path, std::unordered_set<std::uint32_t>& items) {
  DYAD_TRY(file, TextFile::open(path));
  const Json object = Json::parse(file.text(), nullptr, false);
  if (!object.is_object())
    return fail(Code::kInvalid, "{}: not a JSON object of items and their attributes", path.string());
  for (const auto& [key, attributes] : object.items()) {
    const auto id = number<std::uint32_t>(key);
    if (!id || *id == 0)
      return fail(Code::kInvalid, "{}: item '{}' is not a number from 1 on", path.string(), printable(key));
    if (!attributes.is_array())
      return fail(Code::kInvalid, "{}: item '{}' has no list of attributes", path.string(), printable(key));
    items.insert(*id);
  }
  return ok();
}

// Without items.jsonl an item's key is its number. The numbers must have no gaps: a number that is far too large is a
// slip of the pen, not the count of the items.
Status describe_by_number(const S3recFiles& files, Intake& intake) {
  DYAD_TRY(lines, Lines::open(files.sequences));
  std::unordered_set<std::uint32_t> occur;
  if (!files.attributes.empty()) {
    DYAD_TRYV(read_attributes(files.attributes, occur));
    intake.not_used(files.attributes, {"attributes (numbers without names)"});
  }
  std::uint32_t largest = 0;
  Place at_largest{&files.attributes};
  for (const std::uint32_t id : occur) largest = std::max(largest, id);
  std::vector<std::string_view> fields;
  while (const auto line = lines.next()) {
    split_runs(*line, kBlanks, fields);
    for (std::size_t i = 1; i < fields.size(); ++i) {
      const auto id = number<std::uint32_t>(fields[i]);
      if (!id || *id == 0)
        return refuse(lines.place_of(fields[i]), "item '{}' is not a number from 1 on", printable(fields[i]));
      occur.insert(*id);
      if (*id <= largest) continue;
      largest = *id;
      at_largest = lines.place_of(fields[i]);
    }
  }
  for (std::uint32_t id = 1; id <= occur.size(); ++id) {
    if (!occur.contains(id))
      return refuse(at_largest, "item {} is here, but item {} is nowhere; number the items from 1 without gaps, or "
                    "describe them in an items.jsonl", largest, id);
    DYAD_TRYV(intake.describe({std::to_string(id)}, {&files.sequences}));
  }
  return ok();
}

class Sequences {
 public:
  explicit Sequences(Intake& intake) : intake_(intake) {}
  Status read(const fs::path& sequences, const fs::path& timestamps) {
    DYAD_TRY(lines, Lines::open(sequences));
    std::optional<Lines> clock;
    if (!timestamps.empty()) {
      DYAD_TRY(opened, Lines::open(timestamps));
      clock = std::move(opened);
    }
    while (const auto line = lines.next()) {
      DYAD_TRYV(lines.require_utf8());
      split_runs(*line, kBlanks, items_);
      if (items_.empty()) return refuse(lines.place(), "a blank line, wanted a user and its items");
      if (clock) {
        DYAD_TRYV(next_times(*clock, lines));
      }
      DYAD_TRYV(add_user(lines, clock));
    }
    if (clock && clock->next()) return refuse(clock->place(), "a line more than {} has", sequences.filename().string());
    return ok();
  }

 private:
  Status next_times(Lines& clock, const Lines& lines) {
    const auto line = clock.next();
    if (!line)
      return refuse(clock.place(), "ends before line {} of {}", lines.place().line, lines.place().file->string());
    split_runs(*line, kBlanks, times_);
    if (times_.empty()) return refuse(clock.place(), "a blank line, wanted user '{}'", printable(items_[0]));
    if (times_.size() != items_.size() || times_[0] != items_[0])
      return refuse(clock.place(), "user '{}' with {} times, but user '{}' has {} items", printable(times_[0]),
                    times_.size() - 1, printable(items_[0]), items_.size() - 1);
    return ok();
  }

  Status add_user(const Lines& lines, const std::optional<Lines>& clock) {
    if (items_.size() < 2) return refuse(lines.place(), "user '{}' has no items", printable(items_[0]));
    if (intake_.users.find(items_[0]))
      return refuse(lines.place_of(items_[0]), "user '{}' came before", printable(items_[0]));
    const std::vector<std::string>& keys = intake_.described_order;
    for (std::size_t i = 1; i < items_.size(); ++i) {
      const auto id = number<std::uint32_t>(items_[i]);
      if (!id || *id == 0 || *id > keys.size())
        return refuse(lines.place_of(items_[i]), "item '{}' is not a number from 1 to {}", printable(items_[i]),
                      keys.size());
      const auto time = clock ? parse_time(times_[i]) : Time{};
      if (!time) return refuse(clock->place_of(times_[i]), "'{}' is not a time in seconds", printable(times_[i]));
      const Place place = clock ? clock->place_of(times_[i]) : lines.place_of(items_[i]);
      DYAD_TRYV(intake_.add(items_[0], keys[*id - 1], *time, place));
      ++intake_.rows_read;
    }
    return ok();
  }

  Intake& intake_;
  std::vector<std::string_view> items_, times_;
};

// An option that does nothing is a mistake that nobody sees.
Status refuse_options_of_others(const Options& options) {
  const Columns& c = options.columns;
  const char* given = !options.items.empty()                  ? "--items"
                      : options.min_rating                    ? "--min-rating"
                      : !c.user.empty()                       ? "--user-column"
                      : !c.item.empty()                       ? "--item-column"
                      : !c.time.empty()                       ? "--time-column"
                      : !c.rating.empty()                     ? "--rating-column"
                      : !c.history.empty()                    ? "--history-column"
                      : !c.ignored.empty()                    ? "--ignore-column"
                                                              : nullptr;
  if (given == nullptr) return ok();
  return fail(Code::kInvalid, "s3rec's files have no columns and no ratings, and their items are in items.jsonl: leave "
              "out {}", given);
}

}  // namespace

Status read_s3rec(const Options& options, Intake& intake) {
  DYAD_TRYV(refuse_options_of_others(options));
  DYAD_TRY(files, find_s3rec(options.paths));
  DYAD_TRYV(check_items_are_there(options.item_columns, !files.items.empty(), true));
  if (!files.items.empty()) {
    DYAD_TRYV(read_items(files.items, options.item_columns, intake));
  } else {
    DYAD_TRYV(describe_by_number(files, intake));
  }
  for (const fs::path& file : files.unread) intake.not_used(file, {file.filename().string()});
  intake.keep_all_items();
  return Sequences(intake).read(files.sequences, files.times);
}

}  // namespace dyad::importer
