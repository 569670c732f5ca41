#pragma once
// A text file as people have it: plain or gzip (by its first bytes, not by its name), with or without a byte order
// mark. The mark is skipped; blank lines at the end are none. Threads: immutable after open. Memory: a plain file is
// mapped, a compressed one is held unpacked.
#include <string>
#include "common/io/mapped_file.h"

namespace dyad::importer {

class TextFile {
 public:
  // Fails as MappedFile::open() does, and with kInvalid for UTF-16, for a gzip that is damaged and for other archives.
  static Result<TextFile> open(const std::filesystem::path& path);
  std::string_view text() const {
    return (is_unpacked_ ? std::string_view(unpacked_) : file_.text()).substr(begin_, size_);
  }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  io::MappedFile file_;
  std::string unpacked_;
  bool is_unpacked_ = false;
  std::size_t begin_ = 0, size_ = 0;                         // of what counts
};

}  // namespace dyad::importer
