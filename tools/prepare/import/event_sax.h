#pragma once
// The fields of one JSON line of interactions. Threads: one; used once a line.
#include <map>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>
#include "tools/prepare/import/import.h"
#include "tools/prepare/import/unread_columns.h"

namespace dyad::importer {

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
// Names that no field has, and whether a text under them may be a history.
using Others = std::map<std::string, bool>;

// Takes fields of an object's first level as the parser passes by: no tree is built, and a key that comes twice is
// noticed. Other keys are added to `others`; one of them that may be a history, and is not ignored, is a suspect.
class EventSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  EventSax(std::vector<Field>& fields, Others& others, const Columns& given)
      : fields_(fields), others_(others), given_(given) {
    for (Field& field : fields_) field.clear();
  }
  bool null() override {
    if (current_ != nullptr && depth_ == 1) current_->null = true;
    else return unfit();
    return done();
  }
  bool boolean(bool) override { return unfit(); }
  bool number_integer(std::int64_t v) override { return take(std::to_string(v)); }
  bool number_unsigned(std::uint64_t v) override { return take(std::to_string(v)); }
  bool number_float(double, const std::string& digits) override;
  bool string(std::string& v) override;
  bool binary(binary_t&) override { return unfit(); }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override;
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    error_column = position;
    return false;
  }
  bool object_at_top = false;
  std::size_t error_column = 0;
  std::string twice, suspected;                              // suspected: a column that may be a history
  Holds suspect_holds = Holds::kLists;

 private:
  static constexpr std::size_t kOthersMax = 100;
  bool take(const std::string& text);
  bool unfit() {
    if (current_ != nullptr) current_->good = false;
    else note_element();
    return done();
  }
  void note_element();
  void suspect(Holds holds);
  void open_unread(bool object);
  bool done() {
    if (depth_ == 1) current_ = nullptr;
    return true;
  }
  bool open(bool object);
  bool close() {
    --depth_;
    return done();
  }

  std::vector<Field>& fields_;
  Others& others_;
  const Columns& given_;
  std::string other_, inner_;                                // the last key of the first level, and of the second
  bool other_is_suspect_ = false, other_is_list_ = false;
  Field* current_ = nullptr;
  int depth_ = 0;
};

}  // namespace dyad::importer
