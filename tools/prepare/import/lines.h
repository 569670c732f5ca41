#pragma once
// A text file line by line, with its place for errors and progress on stderr. Lines end by \n or \r\n.
// Threads: one.
#include <memory>
#include <optional>
#include <string_view>
#include <vector>
#include "common/base/progress.h"
#include "tools/prepare/import/text_file.h"
#include "tools/prepare/import/times.h"

namespace dyad::importer {

// "FILE:LINE:COLUMN", both counted from 1, columns in bytes; column 0 is left out.
struct Place {
  const std::filesystem::path* file = nullptr;
  std::uint64_t line = 0, column = 0;
  std::string text() const;
};
template <class... Args> Error refuse(const Place& place, fmt::format_string<Args...> format, Args&&... args) {
  return Error{Code::kInvalid, place.text() + ": " + fmt::format(format, std::forward<Args>(args)...)};
}

class Lines {
 public:
  static Result<Lines> open(const std::filesystem::path& path);
  std::optional<std::string_view> next();                    // without its line break; nothing at the end
  Place place(std::size_t column = 0) const { return {&file_.path(), number_, column}; }
  // The place of `part`, which must lie inside the line that next() gave last.
  Place place_of(std::string_view part) const;
  // Fails with kInvalid at the first byte of the line that next() gave last which is not UTF-8.
  Status require_utf8() const;

 private:
  TextFile file_;
  std::size_t at_ = 0;
  std::string_view line_;
  std::uint64_t number_ = 0;
  std::unique_ptr<Progress> progress_;
};

// Pieces of `text` between single separators; an empty text is one empty piece.
void split(std::string_view text, char separator, std::vector<std::string_view>& out);
// Pieces of `text` between runs of any of `blanks`; those at its ends count for nothing.
void split_runs(std::string_view text, std::string_view blanks, std::vector<std::string_view>& out);

}  // namespace dyad::importer
