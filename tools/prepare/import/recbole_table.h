#pragma once
// An atomic file of RecBole: a typed header ("user_id:token<TAB>timestamp:float") and the fields of each line under it.
// Threads: one.
#include <optional>
#include "tools/prepare/import/declared_split.h"
#include "tools/prepare/import/lines.h"

namespace dyad::importer {

class RecboleTable {
 public:
  static Result<RecboleTable> open(const std::filesystem::path& path);
  std::optional<std::size_t> column(std::initializer_list<std::string> names) const;   // the first that is there
  // Fails naming the columns that are there and the `option` that names another.
  Result<std::size_t> required(const std::string& name, const char* option) const;
  std::size_t columns() const { return names_.size(); }
  const std::string& name(std::size_t column) const { return names_[column]; }
  const std::string& type(std::size_t column) const { return types_[column]; }
  bool is_list(std::size_t column) const { return types_[column].ends_with("_seq"); }
  Place header() const { return {lines_->place().file, 1}; }
  // False at the end. Fails when a line is not UTF-8 or has not as many fields as the header.
  Result<bool> next();
  std::string_view field(std::size_t column) const { return fields_[column]; }
  std::string text(std::optional<std::size_t> column) const {
    return column ? std::string(fields_[*column]) : std::string();
  }
  Place place_of(std::size_t column) const { return lines_->place_of(fields_[column]); }

 private:
  Status take_header(std::string_view header);

  std::optional<Lines> lines_;
  std::vector<std::string> names_, types_;
  std::vector<std::string_view> fields_;
};

// Which files a command line means: .inter files in the order of time, .item files, and files beside them that are not
// read.
struct RecboleFiles {
  std::vector<std::filesystem::path> inters, items, unread;
};
// Of the split that a file's name declares; one without is of training.
Part part_of(const std::filesystem::path& inter);
Result<RecboleFiles> find_recbole(const std::vector<std::filesystem::path>& paths);

}  // namespace dyad::importer
