#include "tools/prepare/import/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "tools/prepare/import/gzip_for_test.h"
#include "tools/prepare/import/import_test_files.h"

namespace dyad::importer {
namespace {

using testing::HasSubstr;

TEST(TextFile, ZerosBehindAGzipFileAreNothing) {
  TestFiles files;
  const std::string zeros(1000, '\0');
  EXPECT_EQ(TextFile::open(files.put("a.gz", gzip("one\n") + gzip("two\n") + zeros)).value().text(), "one\ntwo\n");
  EXPECT_THAT(TextFile::open(files.put("a.gz", gzip("one\n") + zeros + "x")).error().message, HasSubstr("is damaged"));
}

TEST(TextFile, GzipInGzipIsNamed) {
  TestFiles files;
  EXPECT_THAT(TextFile::open(files.put("a.gz", gzip(gzip("one\n")))).error().message, HasSubstr("by gzip twice"));
}

TEST(TextFile, WideCharactersAreNamedWithAMarkAndWithout) {
  TestFiles files;
  const auto wide = [&](std::size_t width, bool little, bool mark) {
    std::string text;
    for (const char c : std::string(mark ? "?" : "") + "{\"user\": 1}") {
      std::string unit(width, '\0');
      unit[little ? 0 : width - 1] = c;
      if (c == '?') unit = (std::string(width - 2, '\0') + "\xfe\xff");
      if (c == '?' && little) unit = "\xff\xfe" + std::string(width - 2, '\0');
      text += unit;
    }
    return TextFile::open(files.put("w", text)).error().message;
  };
  for (const bool mark : {false, true})
    for (const bool little : {false, true}) {
      const std::string end = mark ? " " : little ? "le " : "be ";
      EXPECT_THAT(wide(2, little, mark), HasSubstr("w: is UTF-16; convert it, e.g. iconv -f utf-16" + end));
      EXPECT_THAT(wide(4, little, mark), HasSubstr("w: is UTF-32; convert it, e.g. iconv -f utf-32" + end));
    }
}

}  // namespace
}  // namespace dyad::importer
