#include "common/io/staged_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include "common/io/temp_folder.h"

namespace dyad::io {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

void put(const fs::path& file, const std::string& text = "x") {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}
StagedOptions options(bool replace) {
  return {replace, "mark", [](const fs::path& file) { return file == "mark" || file.parent_path() == "part"; }};
}
// What writing the folder gives: empty, or the error.
std::string write(const fs::path& target, bool replace = true) {
  auto staged = StagedFolder::create(target, options(replace));
  if (!staged) return staged.error().message;
  put(staged.value().path() / "mark", "new");
  const Status done = staged.value().commit();
  return done ? "" : done.error().message;
}
std::string text_of(const fs::path& file) {
  std::string text;
  std::ifstream(file) >> text;
  return text;
}

// They were removed as what an interrupted run left.
TEST(StagedFolder, FoldersThatItDidNotMakeAreLeftAlone) {
  TempFolder folder;
  const char* others[] = {"data.tmp-backup", "data.tmp-",      "data.tmp-12x",
                          "data.tmp-99999999", "data.tmp-7-old", ".tmp-a"};
  for (const char* name : others) put(folder / name / "letter");
  put(folder / "data.tmp-88888888" / "mark");                // a copy of a whole folder
  put(folder / "data.tmp-copy" / ".dyad-staged");
  put(folder / "data.tmp-77777777" / ".dyad-staged");        // the only one that an interrupted run left
  EXPECT_EQ(write(folder / "data"), "");
  for (const char* name : others) EXPECT_TRUE(fs::exists(folder / name / "letter")) << name;
  EXPECT_TRUE(fs::exists(folder / "data.tmp-88888888" / "mark"));
  EXPECT_TRUE(fs::exists(folder / "data.tmp-copy"));
  EXPECT_FALSE(fs::exists(folder / "data.tmp-77777777"));
}

TEST(StagedFolder, AnEmptyNameIsRefused) { EXPECT_THAT(write(""), HasSubstr("is empty")); }

TEST(StagedFolder, WhatElseLiesInAFolderToReplaceIsNamedAndStays) {
  TempFolder folder;
  const fs::path data = folder / "data";
  EXPECT_EQ(write(data), "");
  put(data / "part" / "one");
  EXPECT_EQ(write(data), "");
  EXPECT_FALSE(fs::exists(data / "part"));
  EXPECT_FALSE(fs::exists(data / ".dyad-staged"));
  for (const char* name : {"notes.txt", "part/deep/raw", "other/mark"}) {
    put(data / name);
    const std::string error = write(data);
    EXPECT_THAT(error, HasSubstr(std::string("holds ") + name)) << name;
    EXPECT_TRUE(fs::exists(data / name));
    fs::remove(data / name);
  }
  fs::create_symlink("/nowhere", data / "link");
  EXPECT_THAT(write(data), HasSubstr("holds link"));
}

// The link became a folder; one to nothing failed after the whole work.
TEST(StagedFolder, ALinkIsFollowedAlsoToWhatIsNotThereYet) {
  TempFolder folder;
  fs::create_symlink("real", folder / "link");
  fs::create_symlink("link", folder / "chain");
  for (const char* name : {"link", "link/", "chain"}) {
    EXPECT_EQ(write(folder / name), "") << name;
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_FALSE(fs::is_symlink(folder / "real"));
    EXPECT_EQ(text_of(folder / "real" / "mark"), "new");
    std::ofstream(folder / "real" / "mark") << "old";
  }
  EXPECT_THAT(write(folder / "link", false), HasSubstr("real: exists already; give --force"));
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THAT(write(folder / "loop"), HasSubstr("loop: a link"));
}

TEST(StagedFolder, TheCurrentFolderIsAFolderToo) {
  TempFolder folder;
  fs::create_directory(folder / "data");
  EXPECT_EQ(write(folder / "data" / "."), "");
  EXPECT_EQ(text_of(folder / "data" / "mark"), "new");
}

}  // namespace
}  // namespace dyad::io
