#include <unordered_set>
#include <nlohmann/json.hpp>
#include "common/base/check.h"
#include "common/data/catalogue.h"
#include "tools/import/formats.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// The entities that shops' pages leave in titles.
std::string without_entities(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&quot;", "\""}, {"&#39;", "'"}, {"&#34;", "\""}, {"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", " "}, {"&amp;", "&"}};
  for (const auto& [entity, plain] : kEntities)
    for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; at += plain.size())
      text.replace(at, entity.size(), plain);
  return text;
}

// items.jsonl: the lines must carry the ids 1, 2, 3, ... Where a title is missing, keywords stand in for it.
Status read_items(const fs::path& path, Intake& intake) {
  DYAD_TRY(lines, Lines::open(path));
  while (const auto line = lines.next()) {
    const Place place = lines.place();
    DYAD_TRYV(lines.require_utf8());
    const Json object = Json::parse(*line, nullptr, false);
    if (!object.is_object()) return refuse(place, "not a JSON object");
    const auto id = object.find("id");
    if (id == object.end() || !id->is_number_unsigned() || id->get<std::uint64_t>() != place.line)
      return refuse(place, "'id' is {}, wanted {} (ids count from 1, a line each)",
                    id == object.end()     ? "missing"
                    : id->is_structured()  ? id->type_name()   // dump() recurses as deep as it is nested
                                           : id->dump(),
                    place.line);
    DYAD_TRY(item, data::parse_catalogue_line(*line, place.text()));
    const auto keywords = object.find("keywords");
    if (item.title.empty() && keywords != object.end() && keywords->is_string())
      item.title = keywords->get<std::string>();
    item.title = without_entities(std::move(item.title));
    item.brand = without_entities(std::move(item.brand));
    for (auto& path_of_names : item.categories)
      for (std::string& name : path_of_names) name = without_entities(std::move(name));
    DYAD_TRYV(intake.describe(std::move(item), place));
  }
  return ok();
}

// Without items.jsonl an item's key is its number. The numbers must have no gaps: a number that is far too large is a
// slip of the pen, not the count of the items.
Status describe_by_number(const fs::path& path, Intake& intake) {
  DYAD_TRY(lines, Lines::open(path));
  std::unordered_set<std::uint32_t> occur;
  std::uint32_t largest = 0;
  Place at_largest;
  std::vector<std::string_view> fields;
  while (const auto line = lines.next()) {
    split(*line, ' ', fields);
    for (std::size_t i = 1; i < fields.size(); ++i) {
      const auto id = number<std::uint32_t>(fields[i]);
      if (!id || *id == 0) return refuse(lines.place_of(fields[i]), "item '{}' is not a number from 1 on", fields[i]);
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
    DYAD_TRYV(intake.describe({std::to_string(id)}, {&path}));
  }
  return ok();
}

class Sequences {
 public:
  explicit Sequences(Intake& intake) : intake_(intake) {}
  Status read(const fs::path& sequences, const fs::path& timestamps) {
    DYAD_TRY(lines, Lines::open(sequences));
    std::optional<Lines> clock;
    if (fs::exists(timestamps)) {
      DYAD_TRY(opened, Lines::open(timestamps));
      clock = std::move(opened);
    }
    while (const auto line = lines.next()) {
      DYAD_TRYV(lines.require_utf8());
      split(*line, ' ', items_);
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
    split(*line, ' ', times_);
    if (times_.size() != items_.size() || times_[0] != items_[0])
      return refuse(clock.place(), "user '{}' with {} times, but user '{}' has {} items", times_[0], times_.size() - 1,
                    items_[0], items_.size() - 1);
    return ok();
  }

  Status add_user(const Lines& lines, const std::optional<Lines>& clock) {
    if (items_.size() < 2) return refuse(lines.place(), "user '{}' has no items", items_[0]);
    if (intake_.users.contains(items_[0])) return refuse(lines.place_of(items_[0]), "user '{}' came before", items_[0]);
    for (std::size_t i = 1; i < items_.size(); ++i) {
      const auto id = number<std::uint32_t>(items_[i]);
      if (!id || *id == 0 || *id > intake_.items.size())
        return refuse(lines.place_of(items_[i]), "item '{}' is not a number from 1 to {}", items_[i],
                      intake_.items.size());
      const auto time = clock ? seconds(times_[i]) : -1;
      if (!time) return refuse(clock->place_of(times_[i]), "'{}' is not a time in seconds", times_[i]);
      const Place place = clock ? clock->place_of(times_[i]) : lines.place_of(items_[i]);
      DYAD_TRYV(intake_.add(items_[0], intake_.items.key(*id - 1), *time, place));
    }
    return ok();
  }

  Intake& intake_;
  std::vector<std::string_view> items_, times_;
};

}  // namespace

Status read_s3rec(const Options& options, Intake& intake) {
  if (options.paths.size() != 1 || !fs::exists(options.paths[0] / "sequences.txt"))
    return fail(Code::kInvalid, "{}: s3rec wants one folder with a sequences.txt", options.paths[0].string());
  const fs::path& folder = options.paths[0];
  if (fs::exists(folder / "items.jsonl")) {
    DYAD_TRYV(read_items(folder / "items.jsonl", intake));
  } else {
    DYAD_TRYV(describe_by_number(folder / "sequences.txt", intake));
  }
  intake.keep_all_items();
  return Sequences(intake).read(folder / "sequences.txt", folder / "timestamps.txt");
}

}  // namespace dyad::importer
