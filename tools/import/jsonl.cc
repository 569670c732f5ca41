#include <nlohmann/json.hpp>
#include "common/data/catalogue.h"
#include "tools/import/formats.h"

namespace dyad::importer {
namespace {

using Json = nlohmann::json;

struct Field {
  std::string name;
  bool seen = false, good = true, whole = true;              // whole: no number with a point or an exponent
  std::string text;                                          // a string, or a number as its digits
};

// Takes three fields of an object's first level as the parser passes by: no tree is built, and a key that comes twice
// is noticed.
class EventSax : public nlohmann::json_sax<Json> {
 public:
  EventSax(std::vector<Field>& fields) : fields_(fields) {
    for (Field& field : fields_) { field.seen = false; field.good = field.whole = true; field.text.clear(); }
  }
  bool null() override { return unfit(); }
  bool boolean(bool) override { return unfit(); }
  bool number_integer(std::int64_t v) override { return take(std::to_string(v)); }
  bool number_unsigned(std::uint64_t v) override { return take(std::to_string(v)); }
  bool number_float(double, const std::string& digits) override {   // also a whole number of more than 64 bits
    if (depth_ == 1 && current_ != nullptr) current_->whole = digits.find_first_of(".eE") == std::string::npos;
    return take(digits);
  }
  bool string(std::string& v) override { return take(v); }
  bool binary(binary_t&) override { return unfit(); }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    current_ = nullptr;
    if (depth_ != 1) return true;
    for (Field& field : fields_)
      if (field.name == name) current_ = &field;
    if (current_ == nullptr) return true;
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
  std::string twice;

 private:
  bool take(const std::string& text) {
    if (depth_ == 1 && current_ != nullptr) current_->text = text;
    current_ = nullptr;
    return true;
  }
  bool unfit() {
    if (depth_ == 1 && current_ != nullptr) current_->good = false;
    current_ = nullptr;
    return true;
  }
  bool open(bool object) {
    if (depth_ == 0) object_at_top = object;
    else unfit();
    ++depth_;
    return true;
  }
  bool close() { --depth_; return true; }

  std::vector<Field>& fields_;
  Field* current_ = nullptr;
  int depth_ = 0;
};

// Where a field's name stands in the line.
Place place_of(const Lines& lines, std::string_view line, const std::string& name) {
  const std::size_t at = line.find("\"" + name + "\"");
  return lines.place(at == std::string_view::npos ? 1 : at + 1);
}

Status read_line(const Lines& lines, std::string_view line, std::vector<Field>& fields, Intake& intake) {
  EventSax sax(fields);
  const bool parsed = Json::sax_parse(line, &sax);
  if (!sax.twice.empty()) return refuse(place_of(lines, line, sax.twice), "'{}' comes twice", sax.twice);
  if (!parsed) {
    DYAD_TRYV(lines.require_utf8());
    return refuse(lines.place(std::max<std::size_t>(sax.error_column, 1)), "not JSON");
  }
  if (!sax.object_at_top) return refuse(lines.place(1), "not a JSON object");
  for (std::size_t f = 0; f < 2; ++f) {
    if (!fields[f].seen) return refuse(lines.place(1), "no '{}'", fields[f].name);
    if (!fields[f].good || fields[f].text.empty())
      return refuse(place_of(lines, line, fields[f].name), "'{}' is not a string or a number", fields[f].name);
    if (!fields[f].whole)                                    // 17 and 17.0 would be two keys
      return refuse(place_of(lines, line, fields[f].name),
                    "'{}' is {}, not a whole number; write a whole number or a string", fields[f].name, fields[f].text);
  }
  std::optional<std::int64_t> time = -1;
  if (fields[2].seen) time = fields[2].good ? seconds(fields[2].text) : std::nullopt;
  const Place place = place_of(lines, line, fields[2].name);
  if (!time) return refuse(place, "'{}' is not a time in seconds since 1970", fields[2].name);
  return intake.add(fields[0].text, fields[1].text, *time, place);
}

}  // namespace

Status read_item_lines(const std::filesystem::path& path, Intake& intake) {
  DYAD_TRY(lines, Lines::open(path));
  while (const auto line = lines.next()) {
    DYAD_TRYV(lines.require_utf8());
    DYAD_TRY(item, data::parse_catalogue_line(*line, lines.place().text()));
    DYAD_TRYV(intake.describe(std::move(item), lines.place()));
  }
  return ok();
}

Status read_jsonl(const Options& options, Intake& intake) {
  const auto named = [](const std::string& given, const char* otherwise) { return given.empty() ? otherwise : given; };
  std::vector<Field> fields(3);
  fields[0].name = named(options.user_column, "user");
  fields[1].name = named(options.item_column, "item");
  fields[2].name = named(options.time_column, "time");
  for (const std::filesystem::path& path : options.paths) {
    DYAD_TRY(lines, Lines::open(path));
    while (const auto line = lines.next()) {
      DYAD_TRYV(read_line(lines, *line, fields, intake));
    }
  }
  return options.items.empty() ? ok() : read_item_lines(options.items, intake);
}

}  // namespace dyad::importer
