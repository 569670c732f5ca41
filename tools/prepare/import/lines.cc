#include "tools/prepare/import/lines.h"

#include <algorithm>
#include "common/base/utf8.h"

namespace dyad::importer {

std::string Place::text() const {
  if (line == 0) return file->string();
  return column == 0 ? fmt::format("{}:{}", file->string(), line)
                     : fmt::format("{}:{}:{}", file->string(), line, column);
}

Result<Lines> Lines::open(const std::filesystem::path& path) {
  Lines lines;
  DYAD_TRY(file, TextFile::open(path));
  lines.file_ = std::move(file);
  lines.progress_ =
      std::make_unique<Progress>("read " + path.filename().string(), lines.file_.text().size() >> 10, "KiB");
  return lines;
}

std::optional<std::string_view> Lines::next() {
  const std::string_view text = file_.text();
  if (at_ >= text.size()) {
    if (progress_) progress_->finish();
    progress_.reset();
    return std::nullopt;
  }
  const std::size_t end = std::min(text.find('\n', at_), text.size());
  line_ = text.substr(at_, end - at_);
  at_ = end + 1;
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  if (++number_ % 4096 == 0) progress_->at(at_ >> 10);
  return line_;
}

Place Lines::place_of(std::string_view part) const {
  return place(static_cast<std::size_t>(part.data() - line_.data()) + 1);
}

Status Lines::require_utf8() const {
  const std::size_t good = utf8_prefix(line_);
  if (good == line_.size()) return ok();
  return refuse(place(good + 1),
                "byte 0x{:02X} is not UTF-8; convert the file, e.g. iconv -f latin1 -t utf-8 OLD > NEW",
                static_cast<unsigned char>(line_[good]));
}

void split(std::string_view text, char separator, std::vector<std::string_view>& out) {
  out.clear();
  for (;;) {
    const std::size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void split_runs(std::string_view text, std::string_view blanks, std::vector<std::string_view>& out) {
  out.clear();
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    if (text.empty()) return;
    out.push_back(text.substr(0, text.find_first_of(blanks)));
    text.remove_prefix(out.back().size());
  }
}

}  // namespace dyad::importer
