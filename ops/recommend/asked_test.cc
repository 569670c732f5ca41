// Which user of a log is meant.
#include "ops/recommend/asked.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/data/dataset_writer.h"
#include "common/io/temp_folder.h"

namespace dyad::ops {
namespace {

// "U3" was answered with the list of u3, who is somebody else.
TEST(UserLookup, AnIdIsOnesOnlyAsTheLogWritesIt) {
  const io::TempFolder folder;
  auto writer = data::DatasetWriter::create(folder / "d", {}).value();
  for (std::uint32_t u = 0; u < 3; ++u) ASSERT_TRUE(writer.append({UserId{u}, ItemId{0}, 1}).has_value());
  const std::vector<data::Item> items{{"i", "", "", {}}};
  ASSERT_TRUE(writer.finish(items, std::vector<std::string>{"u3", "x", "X"}).has_value());
  const auto dataset = data::Dataset::open(folder / "d").value();
  const UserLookup users(dataset);
  EXPECT_EQ(users.find("u3").value().user, "u3");
  EXPECT_EQ(users.find("x").value().user, "x");
  EXPECT_EQ(users.find("X").value().user, "X");
  const auto near = users.find("U3");
  ASSERT_FALSE(near.has_value());
  EXPECT_EQ(near.error().code, Code::kNotFound);
  EXPECT_THAT(near.error().message, testing::AllOf(testing::HasSubstr("no user \"U3\""),
                                                   testing::HasSubstr("there is u3")));
  EXPECT_THAT(users.find("u4").error().message, testing::HasSubstr("users.txt there lists them"));
}

}  // namespace
}  // namespace dyad::ops
