#include "tools/prepare/import/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>

namespace dyad::importer {
namespace {

using testing::ElementsAre;

Place nowhere() {
  static const std::filesystem::path file = "test";
  return {&file};
}

std::vector<std::string> items_of(const Intake& intake, const std::string& user) {
  std::vector<std::string> keys;
  for (const Row& row : intake.rows) if (intake.users.key(row.user) == user) keys.push_back(intake.items.key(row.item));
  return keys;
}

Intake intake_of(const std::vector<std::tuple<std::string, std::string, std::int64_t>>& rows) {
  Intake intake(false);
  for (const auto& [user, item, time] : rows) EXPECT_TRUE(intake.add(user, item, Time{time}, nowhere()).has_value());
  order_by_time(intake.rows);
  return intake;
}

TEST(Order, ShuffledTiesDependOnTheSeedAndTheKeysAndNotOnTheFile) {
  std::vector<std::tuple<std::string, std::string, std::int64_t>> rows;
  for (int i = 0; i < 12; ++i) rows.emplace_back("u", std::to_string(i), 5);
  rows.emplace_back("u", "first", 1);
  rows.emplace_back("u", "last", 9);
  rows.emplace_back("v", "other", 5);
  Intake one = intake_of(rows);
  std::reverse(rows.begin(), rows.end());
  Intake other = intake_of(rows), seeded = intake_of(rows);
  shuffle_ties(one.rows, one.users, one.items, 7);
  shuffle_ties(other.rows, other.users, other.items, 7);
  shuffle_ties(seeded.rows, seeded.users, seeded.items, 8);
  EXPECT_EQ(items_of(one, "u"), items_of(other, "u"));
  EXPECT_NE(items_of(one, "u"), items_of(seeded, "u"));
  EXPECT_EQ(items_of(one, "u").front(), "first");
  EXPECT_EQ(items_of(one, "u").back(), "last");
  EXPECT_FALSE(std::is_sorted(items_of(one, "u").begin() + 1, items_of(one, "u").end() - 1));
  EXPECT_EQ(one.rows.size(), rows.size());
}

TEST(Order, RowsOfUnknownTimeStayWhereTheFileHasThem) {
  Intake intake = intake_of({{"u", "a", -1}, {"u", "b", -1}, {"u", "c", 5}, {"u", "d", -1}, {"u", "e", 5}});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    shuffle_ties(intake.rows, intake.users, intake.items, seed);
    EXPECT_THAT(items_of(intake, "u"), ElementsAre("a", "b", "c", "d", "e"));
  }
}

TEST(Order, TiesAreCountedAndThoseOfAUsersLastTwoRows) {
  const Intake intake = intake_of({{"u", "a", 1}, {"u", "b", 1}, {"u", "c", 2}, {"v", "a", 1}, {"v", "b", 3},
                                   {"v", "c", 3}, {"w", "a", -1}, {"w", "b", -1}});
  const Ties ties = count_ties(intake.rows, intake.users.size());
  EXPECT_EQ(ties.rows, 2u);
  EXPECT_EQ(ties.last, 1u);
}

TEST(Order, RepeatedRowsAreThoseOfUserItemAndTimeAndTheFirstStays) {
  Intake intake = intake_of({{"u", "a", 1}, {"u", "a", 1}, {"u", "b", 1}, {"v", "a", 1}, {"u", "a", 2}, {"u", "a", 1}});
  EXPECT_EQ(repeated_rows(intake.rows, false), 2u);
  EXPECT_EQ(intake.rows.size(), 6u);
  EXPECT_EQ(repeated_rows(intake.rows, true), 2u);
  EXPECT_THAT(items_of(intake, "u"), ElementsAre("a", "b", "a"));
}

}  // namespace
}  // namespace dyad::importer
