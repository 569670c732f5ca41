// What each format gives when it is well formed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/data/test_times.h"
#include "tools/prepare/import/import_test_files.h"

namespace dyad::importer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(RecboleImport, HistoriesAreInTheOrderOfTimeThoughTheFileIsNot) {
  TestFiles files;
  files.put("m/m.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\r\n"
                         "u1\tc\t5\t300\r\nu2\tc\t1\t50\r\nu1\ta\t5\t100.5\r\nu1\tb\t5\t100.25\r\nu2\ta\t1\t60\r\n");
  files.put("m/m.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
                        "a\tToy Story\t1995\tAnimation Comedy\nb\tB\t\t\nzz\tUnused\t1990\tX\n");
  const Report report = run(files.options("recbole", {files.path("m")})).value();
  EXPECT_EQ(report.users, 2u);
  EXPECT_EQ(report.items, 3u);
  EXPECT_EQ(report.interactions, 5u);
  EXPECT_EQ(report.out_of_order, 2u);              // a at 100.5 comes after c at 300, b at 100.25 after a
  EXPECT_EQ(report.unused_items, 1u);
  EXPECT_EQ(report.undescribed_items, 1u);
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  EXPECT_THAT(TestFiles::items_of(dataset, "u1"), ElementsAre("b", "a", "c"));
  EXPECT_THAT(TestFiles::items_of(dataset, "u2"), ElementsAre("c", "a"));
  EXPECT_EQ(dataset.user_key(UserId{0}), "u1");    // numbers in the order of the file
  EXPECT_EQ(dataset.item(ItemId{0}).title, "Toy Story (1995)");   // those of items in the order of theirs
  EXPECT_EQ(dataset.item(ItemId{0}).categories, (std::vector<std::vector<std::string>>{{"Animation"}, {"Comedy"}}));
  EXPECT_EQ(dataset.item(ItemId{1}).title, "B");
  EXPECT_EQ(dataset.item(ItemId{2}).key, "c");     // not described
}

TEST(RecboleImport, TheLogHoldsAllUsersRowsByTime) {
  TestFiles files;
  const auto path = files.put("m.inter", "user_id:token\titem_id:token\ttimestamp:float\n"
                                         "u1\ta\t9\nu2\ta\t3\nu3\ta\t7\nu4\ta\t1\nu5\ta\t5\n");
  Options options = files.options("recbole", {path});
  options.partitions = 1;
  ASSERT_TRUE(run(options).has_value());
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  std::vector<std::uint32_t> offsets;
  for (std::uint32_t u = 0; u < 5; ++u) offsets.push_back(dataset.position(UserId{u}, 0).offset);
  EXPECT_THAT(offsets, ElementsAre(4, 1, 3, 0, 2));
}

TEST(S3recImport, IdsAreThoseOfTheFileLessOneAndUsersKeepTheirLines) {
  TestFiles files;
  files.put("s/sequences.txt", "7 2 3 2 5\n4 1 2\n");
  files.put("s/timestamps.txt", "7 10 -1 10 20\n4 -1 5\n");
  files.put("s/items.jsonl",
            "{\"id\":1,\"key\":\"A\",\"title\":\"x &amp; y\",\"brand\":\"B\",\"categories\":[[\"p\",\"q\"]]}\n"
            "{\"id\":2,\"key\":\"B\",\"keywords\":\"some words\"}\n{\"id\":3,\"key\":\"C\"}\n"
            "{\"id\":4,\"key\":\"D\"}\n{\"id\":5,\"key\":\"E\"}\n");
  const Report report = run(files.options("s3rec", {files.path("s")})).value();
  EXPECT_EQ(report.items, 5u);                     // D, which nobody touched, keeps its number
  EXPECT_EQ(report.unknown_times, 2u);
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  EXPECT_THAT(dataset.sequence(UserId{0}), ElementsAre(ItemId{1}, ItemId{2}, ItemId{1}, ItemId{4}));
  EXPECT_THAT(data::times_of_users(dataset)[0], ElementsAre(10, -1, 10, 20));
  EXPECT_EQ(dataset.user_key(UserId{1}), "4");
  EXPECT_THAT(data::times_of_users(dataset)[1], ElementsAre(-1, 5));
  EXPECT_EQ(dataset.item(ItemId{0}).title, "x & y");
  EXPECT_EQ(dataset.item(ItemId{1}).title, "some words");
}

TEST(S3recImport, SequencesAloneAreEnough) {
  TestFiles files;
  files.put("s/sequences.txt", "1 1 2 3\n2 3 1\n");
  EXPECT_EQ(run(files.options("s3rec", {files.path("s")})).value().items, 3u);
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  EXPECT_THAT(TestFiles::items_of(dataset, "2"), ElementsAre("3", "1"));
}

TEST(JsonlImport, KeysAreStringsOrNumbersAndTimeMayBeMissing) {
  TestFiles files;
  const auto path = files.put("e.jsonl",
                              "{\"user\":\"é\",\"item\":17,\"time\":5,\"more\":{\"user\":[1]}}\n"
                              "{\"item\":\"x y\",\"user\":\"é\"}\n{\"user\":\"é\",\"item\":18,\"time\":2.5}\n");
  Options options = files.options("jsonl", {path});
  options.items = files.put("i.jsonl", "{\"key\":\"17\",\"title\":\"T\"}\n{\"key\":\"18\",\"brand\":\"B\"}\n");
  const Report report = run(options).value();
  EXPECT_EQ(report.undescribed_items, 1u);
  EXPECT_EQ(report.unknown_times, 1u);
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  EXPECT_THAT(TestFiles::items_of(dataset, "é"), ElementsAre("18", "17", "x y"));  // unknown: behind the row before it
}

TEST(JsonlImport, AWholeNumberOfAnySizeIsAKey) {
  TestFiles files;
  const std::string large = "1180591620717411303424";        // 2^70
  const auto path = files.put("e.jsonl", "{\"user\":-5,\"item\":" + large + ",\"time\":2.5}\n");
  ASSERT_TRUE(run(files.options("jsonl", {path})).has_value());
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  EXPECT_THAT(TestFiles::items_of(dataset, "-5"), ElementsAre(large));
}

TEST(Import, KeysThatDifferInAccentsStayTwo) {
  TestFiles files;
  const auto path = files.put("m.inter", "user_id:token\titem_id:token\ttimestamp:float\nü\té\t1\nü\tè\t2\n");
  ASSERT_TRUE(run(files.options("recbole", {path})).has_value());
  EXPECT_THAT(TestFiles::items_of(data::Dataset::open(files.path("out")).value(), "ü"), ElementsAre("é", "è"));
}

TEST(Import, ColumnsCanBeNamed) {
  TestFiles files;
  Options options = files.options("jsonl", {files.put("e.jsonl", "{\"u\":1,\"i\":2,\"ts\":3}\n")});
  options.columns.user = "u";
  options.columns.item = "i";
  options.columns.time = "ts";
  ASSERT_TRUE(run(options).has_value());
  EXPECT_EQ(data::times_of_users(data::Dataset::open(files.path("out")).value())[0][0], 3);
}

TEST(Import, SameInputGivesTheSameDigest) {
  TestFiles files;
  const auto path = files.put("e.jsonl", "{\"user\":1,\"item\":2,\"time\":3}\n{\"user\":2,\"item\":2,\"time\":1}\n");
  Options options = files.options("jsonl", {path});
  ASSERT_TRUE(run(options).has_value());
  const std::uint64_t digest = data::Dataset::open(options.out).value().digest();
  options.out = files.path("again");
  ASSERT_TRUE(run(options).has_value());
  EXPECT_EQ(data::Dataset::open(options.out).value().digest(), digest);
}

}  // namespace
}  // namespace dyad::importer
