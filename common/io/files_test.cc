#include "common/io/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include "common/io/temp_folder.h"

namespace dyad::io {
namespace {

namespace fs = std::filesystem;

// A link to itself: the system can't say what it is, as with a stale handle, and std::filesystem throws.
TEST(Files, WhatTheSystemCannotSayIsAnErrorThatNamesThePath) {
  TempFolder folder;
  fs::create_symlink("loop", folder / "loop");
  ASSERT_THROW((void)fs::exists(folder / "loop"), fs::filesystem_error);
  const std::string path = (folder / "loop").string();
  const auto is_named = [&](const Error& error) {
    return error.code == Code::kFailed && error.message.find(path) != std::string::npos;
  };
  EXPECT_TRUE(is_named(io::exists(path).error()));
  EXPECT_TRUE(is_named(is_folder(path).error()));
  EXPECT_TRUE(is_named(list_folder(path).error()));
}

TEST(Files, WhatIsNotThereIsNoErrorButAFolderToListIs) {
  TempFolder folder;
  EXPECT_FALSE(io::exists(folder / "none").value());
  EXPECT_FALSE(is_folder(folder / "none").value());
  EXPECT_EQ(list_folder(folder / "none").error().code, Code::kNotFound);
}

TEST(Files, AFolderIsListedInTheOrderOfItsNames) {
  TempFolder folder;
  for (const char* name : {"b", "c", "a"}) std::ofstream(folder / name) << name;
  EXPECT_TRUE(is_folder(folder.path()).value());
  EXPECT_TRUE(io::exists(folder / "a").value());
  EXPECT_FALSE(is_folder(folder / "a").value());
  EXPECT_THAT(list_folder(folder.path()).value(), testing::ElementsAre(folder / "a", folder / "b", folder / "c"));
}

}  // namespace
}  // namespace dyad::io
