#include "tools/prepare/import/unread_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/base/check.h"
#include "common/data/test_times.h"
#include "tools/prepare/import/import_test_files.h"

namespace dyad::importer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const Options& options) {
  const auto report = run(options);
  return report.has_value() ? "" : report.error().message;
}
std::vector<std::string> history_of(const TestFiles& files, const std::string& user) {
  return TestFiles::items_of(data::Dataset::open(files.path("out")).value(), user);
}

TEST(UnreadColumns, NamesAreJudgedByTheirWords) {
  for (const char* name : {"history", "item_ids", "itemIds", "product_ids", "clicked", "watched", "past", "purchases",
                           "asins", "prior", "basket", "user_hist", "item_seq", "items"})
    EXPECT_TRUE(may_be_history(name, Holds::kText)) << name;
  for (const char* name : {"session", "context", "wish_list", "events"}) {
    EXPECT_TRUE(may_be_history(name, Holds::kNested)) << name;
    EXPECT_FALSE(may_be_history(name, Holds::kText)) << name;
  }
  for (const char* name : {"title", "reviewText", "paste", "priority", "item", "verified_purchase", "style"})
    EXPECT_FALSE(may_be_history(name, Holds::kNested)) << name;
  EXPECT_TRUE(may_be_history("whatever", Holds::kLists));
  EXPECT_FALSE(may_be_history("helpful", Holds::kLists));
  EXPECT_FALSE(may_be_history("history", Holds::kNumbers));
  for (const char* name :
       {"timestamp", "unixReviewTime", "date", "ts", "time", "created_at", "event_time", "timeStamp"})
    EXPECT_TRUE(may_be_time(name)) << name;
  for (const char* name : {"rating", "update", "lifetime", "status", "title", "release_year", "category"})
    EXPECT_FALSE(may_be_time(name)) << name;
}

// They were listed as not used, and the import ended with code 0.
TEST(UnreadColumns, OfJsonLinesThatMayBeHistoriesOrTimesAreRefused) {
  TestFiles files;
  const auto with = [&](const std::string& field) {
    return files.options("jsonl", {files.put("e.jsonl", "{\"user\":1,\"item\":2," + field + "}\n")});
  };
  const std::pair<std::string, std::string> refused[] = {
      {"item_ids", "[\"a\"]"}, {"basket", "[1,2]"}, {"anything", "[\"a\",\"b\"]"}, {"history", "\"i1 i2 i3\""},
      {"history", "{\"items\":[1,2]}"}, {"context", "{\"a\":1}"}, {"extra", "{\"items\":[1,2]}"},
      {"history", "[{\"item\":1}]"}, {"past", "\"a,b\""}, {"prior", "\"a|b\""},
      {"timestamp", "5"}, {"unixReviewTime", "5"}, {"date", "\"2014-01-01\""}, {"ts", "5"}};
  for (const auto& [name, value] : refused) {
    Options options = with("\"" + name + "\":" + value);
    const std::string error = error_of(options);
    EXPECT_THAT(error, HasSubstr("'" + name + "'")) << value;
    EXPECT_THAT(error, HasSubstr("--ignore-column")) << value;
    options.columns.ignored = {name};
    EXPECT_EQ(error_of(options), "") << name;
  }
  for (const char* field : {"\"clicked\":true", "\"past\":3", "\"prior\":\"none\"", "\"helpful\":[1,2]",
                            "\"text\":\"a, b\"", "\"style\":{\"Size:\":\"L\"}", "\"time\":3,\"date\":\"x\"",
                            "\"time\":null,\"ts\":3"})
    EXPECT_EQ(error_of(with(field)), "") << field;
  Options options = with("\"tags\":[1],\"history\":[\"a\"]");     // the first of two is ignored: the other is not
  options.columns.ignored = {"tags"};
  EXPECT_THAT(error_of(options), HasSubstr("'history'"));
}

TEST(UnreadColumns, OfRecboleThatMayBeHistoriesOrTimesAreRefused) {
  TestFiles files;
  const auto with = [&](const std::string& column, const std::string& value) {
    const std::string text = "user_id:token\titem_id:token\t" + column + "\nu\ta\t" + value + "\n";
    return files.options("recbole", {files.put("m.inter", text)});
  };
  const std::pair<std::string, std::string> refused[] = {
      {"history:float_seq", "1 2"}, {"tags:token_seq", "x"}, {"past:token", "a b"}, {"clicked:token", "a,b"},
      {"time:float", "5"}, {"ts:token", "5"}, {"timestamp:float_seq", "5 6"}};
  for (const auto& [column, value] : refused) {
    Options options = with(column, value);
    const std::string name = column.substr(0, column.find(':'));
    EXPECT_THAT(error_of(options), HasSubstr("'" + name + "'")) << column;
    EXPECT_THAT(error_of(options), HasSubstr("--ignore-column")) << column;
    options.columns.ignored = {name};
    EXPECT_EQ(error_of(options), "") << column;
  }
  for (const auto& [column, value] : {std::pair("session:token", "a b"), {"past:float", "1"}, {"past:token", "a"}})
    EXPECT_EQ(error_of(with(column, value)), "") << column;
}

// They were passed over, rubbish too.
TEST(HistoryTimes, OfJsonLinesAreReadOrRefused) {
  TestFiles files;
  const auto with = [&](const std::string& fields) {
    const std::string text = "{\"user\":1,\"item_list\":[\"a\",\"b\"]," + fields + "}\n";
    return files.options("jsonl", {files.put("e.jsonl", text)});
  };
  for (const char* name : {"time", "time_list"}) {
    const std::string field = std::string("\"") + name + "\":";
    EXPECT_EQ(error_of(with(field + "[2.5,\"1970-01-01T00:00:02.25Z\"]")), "");
    EXPECT_THAT(history_of(files, "1"), ElementsAre("b", "a"));
    EXPECT_THAT(data::times_of_users(data::Dataset::open(files.path("out")).value())[0], ElementsAre(2, 2));
    EXPECT_THAT(error_of(with(field + "[1]")), HasSubstr("has 1 times, 'item_list' has 2 items"));
    EXPECT_THAT(error_of(with(field + "[1,\"soon\"]")), HasSubstr("'soon' is not a time"));
    EXPECT_THAT(error_of(with(field + "\"rubbish\"")), HasSubstr(std::string("'") + name + "' is not a list of"));
    EXPECT_EQ(error_of(with(field + "[1,2],\"item\":\"c\"")), "");
    EXPECT_THAT(history_of(files, "1"), ElementsAre("a", "b", "c"));   // c has no time: behind the row before
  }
  EXPECT_THAT(error_of(with("\"times\":[2,1]")), HasSubstr("name it with --time-column"));
  Options options = with("\"times\":[2,1]");
  options.columns.time = "times";
  EXPECT_EQ(error_of(options), "");
  EXPECT_THAT(history_of(files, "1"), ElementsAre("b", "a"));
}

TEST(HistoryTimes, OfRecboleAreNotOneTimeForAll) {
  TestFiles files;
  EXPECT_THAT(error_of(files.options("recbole", {files.put("m.inter",
                  "user_id:token\titem_id_list:token_seq\ttimestamp:float\nu\ta b\trubbish\n")})),
              HasSubstr("m.inter:1: column 'timestamp' has one time a row"));
}

// They were taken as odd keys.
TEST(RecboleHistories, ItemsThatBlanksDoNotSeparateAreRefused) {
  TestFiles files;
  const auto with = [&](const std::string& history, const std::string& item) {
    const std::string head = "user_id:token\titem_id:token\titem_id_list:token_seq\n";
    return files.options("recbole", {files.put("m.inter", head + "u\t" + item + "\t" + history + "\n")});
  };
  for (const char* bad : {"a,c,d", "[1, 2, 3]", "a|c|d", "a, c, d", "a;c", "a | c", "['a' 'c' 'd']", "[1]"})
    EXPECT_THAT(error_of(with(bad, "x")), HasSubstr("m.inter:2:5: '" + std::string(bad) + "': blanks separate")) << bad;
  for (const char* good : {"a b c", "a,1 b", "a", ""}) EXPECT_EQ(error_of(with(good, "x")), "") << good;
  EXPECT_EQ(error_of(with("a,1 b,2", "x,3")), "");           // keys are like that
}

}  // namespace
}  // namespace dyad::importer
