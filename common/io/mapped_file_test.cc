#include "common/io/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <fstream>
#include "common/io/temp_folder.h"

namespace dyad::io {
namespace {

TEST(MappedFile, GivesTheBytesOfAFileAndNoneOfAnEmptyOne) {
  const TempFolder folder;
  std::ofstream(folder / "text") << "bytes";
  std::ofstream(folder / "empty");
  EXPECT_EQ(MappedFile::open(folder / "text").value().text(), "bytes");
  EXPECT_TRUE(MappedFile::open(folder / "empty").value().bytes().empty());
  EXPECT_EQ(MappedFile::open(folder / "nothing").error().code, Code::kNotFound);
  EXPECT_EQ(MappedFile::open(folder.path()).error().code, Code::kFailed);
}

// Their size is 0, so that they were read as empty files.
TEST(MappedFile, RefusesPipesAndDevices) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const std::filesystem::path& path : {folder / "pipe", std::filesystem::path("/dev/null")}) {
    const auto file = MappedFile::open(path);       // at once: nobody will ever write into the pipe
    ASSERT_FALSE(file.has_value()) << path;
    EXPECT_EQ(file.error().code, Code::kInvalid);
    EXPECT_EQ(file.error().message, path.string() + ": not a regular file; write it to a file first");
  }
}

}  // namespace
}  // namespace dyad::io
