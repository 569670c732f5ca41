#include "common/io/atomic_file.h"

#include <gtest/gtest.h>
#include <fstream>
#include "common/io/temp_folder.h"

namespace dyad::io {
namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(AtomicFile, AppearsWholeAndOnlyAtCommit) {
  const TempFolder folder;
  const std::string big(3'000'001, 'x');
  AtomicFile file = AtomicFile::create(folder / "deep/er/file").value();
  ASSERT_TRUE(file.write("head").has_value());
  ASSERT_TRUE(file.write(big).has_value());
  EXPECT_FALSE(std::filesystem::exists(folder / "deep/er/file"));
  const FileFacts facts = file.commit().value();
  const std::string text = read_file(folder / "deep/er/file").value();
  EXPECT_EQ(text, "head" + big);
  EXPECT_EQ(facts.bytes, text.size());
  EXPECT_EQ(facts.digest, digest64(text));
  EXPECT_EQ(files_in(folder / "deep/er"), 1u);
}

TEST(AtomicFile, DroppedWithoutCommitLeavesTheOldFileAndNothingElse) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomic(folder / "file", "old").has_value());
  {
    AtomicFile file = AtomicFile::create(folder / "file").value();
    ASSERT_TRUE(file.write("new").has_value());
  }
  EXPECT_EQ(read_file(folder / "file").value(), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, FolderThatCannotBeMadeIsNamed) {
  const TempFolder folder;
  std::ofstream(folder / "plain") << "a file";
  const auto made = AtomicFile::create(folder / "plain/file");
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().message.find((folder / "plain").string()), std::string::npos) << made.error().message;
}

TEST(ReadFile, MissingFileIsNotFoundAndNamed) {
  const auto text = read_file("/nowhere/at/all");
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().code, Code::kNotFound);
  EXPECT_NE(text.error().message.find("/nowhere/at/all"), std::string::npos);
}

}  // namespace
}  // namespace dyad::io
