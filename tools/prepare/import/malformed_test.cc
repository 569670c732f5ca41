// Every format against input that is wrong: one error, which names file, line and column, and no folder left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "tools/prepare/import/gzip_for_test.h"
#include "tools/prepare/import/import_test_files.h"
#include "tools/prepare/import/lines.h"

namespace dyad::importer {
namespace {

using testing::HasSubstr;

std::string error_of(const TestFiles& files, const Options& options) {
  const auto report = run(options);
  EXPECT_FALSE(report.has_value());
  for (const auto& entry : std::filesystem::directory_iterator(files.path("")))
    EXPECT_FALSE(entry.path().filename().string().starts_with("out")) << entry.path();
  if (report.has_value()) return "";
  EXPECT_EQ(report.error().code, Code::kInvalid);
  return report.error().message;
}

TEST(RecboleImport, RefusesWhatIsWrongAndSaysWhere) {
  const std::string head = "user_id:token\titem_id:token\ttimestamp:float\n";
  const std::pair<std::string, std::string> cases[] = {
      {"", "m.inter:"},
      {"user_id\titem_id:token\n", "m.inter:1:1: 'user_id' is not NAME:TYPE"},
      {"user_id:token\ttimestamp:float\n1\t2\n", "m.inter:1: no column 'item_id'"},
      {"user_id:token\tuser_id:token\n", "m.inter:1:15: column 'user_id' comes twice"},
      {head + "u\ti\t5\nu\ti\n", "m.inter:3:3: 2 fields, the header has 3"},
      {head + "u\ti\t5\t6\n", "m.inter:2:7: 4 fields, the header has 3"},
      {head + "\ti\t5\n", "m.inter:2:1: the user is empty"},
      {head + "u\t\t5\n", "m.inter:2:3: the item is empty"},
      {head + "u\ti\t5x\n", "m.inter:2:5: '5x' is not a time"},
      {head + "u\ti\tnan\n", "m.inter:2:5: 'nan' is not a time"},
      {head + "u\ti\t-7\n", "m.inter:2:5: '-7' is not a time"},
      {head + "u\ti\t5\n\nu\tj\t6\n", "m.inter:3:1: 1 fields"},
      {head, "m.inter: no rows"}};
  for (const auto& [text, message] : cases) {
    TestFiles files;
    EXPECT_THAT(error_of(files, files.options("recbole", {files.put("m.inter", text)})), HasSubstr(message));
  }
  TestFiles files;
  files.put("m.inter", head + "u\ti\t5\n");
  files.put("m.item", "item_id:token\ttitle:token_seq\ni\tA\ni\tB\n");
  EXPECT_THAT(error_of(files, files.options("recbole", {files.path("m.inter")})),
              HasSubstr("m.item:3:1: item 'i' came before"));
}

TEST(Import, RequireOrderNamesTheRowThatIsOlder) {
  TestFiles files;
  Options options = files.options("recbole", {files.put("m.inter", "user_id:token\titem_id:token\ttimestamp:float\n"
                                                                   "u\ta\t5\nv\ta\t1\nu\tb\t4\n")});
  EXPECT_EQ(run(options).value().out_of_order, 1u);
  std::filesystem::remove_all(options.out);
  options.require_order = true;
  EXPECT_THAT(error_of(files, options), HasSubstr("m.inter:4:5: time 4 of user 'u' is before 5"));
}

TEST(S3recImport, RefusesWhatIsWrongAndSaysWhere) {
  struct Case { std::string sequences, times, items, message; };
  const std::string item = "{\"id\":1,\"key\":\"A\"}\n";
  const std::string deep = std::string(300'000, '[') + std::string(300'000, ']');   // must not overflow the stack
  const Case cases[] = {
      {"1 1\n", "", "{\"id\":" + deep + "}\n", "items.jsonl:1: 'id' is array, wanted 1"},
      {"1 1 2\n", "1 5 4\n", "", "timestamps.txt:1:5: time 4 of user '1' is before 5"},
      {"1 1 2\n", "1 5 -1\n2 3\n", "", "timestamps.txt:2: a line more"},
      {"1 1 2\n2 1\n", "1 5 5\n", "", "timestamps.txt:1: ends before line 2"},
      {"1 1 2\n", "1 5\n", "", "timestamps.txt:1: user '1' with 1 times"},
      {"1 1 2\n", "1 5 x\n", "", "timestamps.txt:1:5: 'x' is not a time"},
      {"1 1\n1 1\n", "", "", "sequences.txt:2:1: user '1' came before"},
      {"1\n", "", "", "sequences.txt:1: user '1' has no items"},
      {"1 0\n", "", "", "sequences.txt:1:3: item '0' is not a number from 1"},
      {"1 1 2\n", "", item, "sequences.txt:1:5: item '2' is not a number from 1 to 1"},
      {"1 1\n", "", "{\"id\":2,\"key\":\"A\"}\n", "items.jsonl:1: 'id' is 2, wanted 1"},
      {"1 1\n", "", item + "{\"id\":2,\"key\":\"A\"}\n", "items.jsonl:2: item 'A' came before"},
      {"1 1\n", "", "{\"id\":1}\n", "items.jsonl:1: no 'key'"},
      {"1 1\n", "", "{\"id\":1\n", "items.jsonl:1: not a JSON object"}};
  for (const Case& c : cases) {
    TestFiles files;
    files.put("s/sequences.txt", c.sequences);
    if (!c.times.empty()) files.put("s/timestamps.txt", c.times);
    if (!c.items.empty()) files.put("s/items.jsonl", c.items);
    EXPECT_THAT(error_of(files, files.options("s3rec", {files.path("s")})), HasSubstr(c.message));
  }
}

TEST(S3recImport, WithoutDescriptionsAGapInTheNumbersIsRefusedAndNotFilled) {
  const std::pair<std::string, std::string> cases[] = {
      {"1 1 2\n2 3 4000000000 2\n", "sequences.txt:2:5: item 4000000000 is here, but item 4 is nowhere"},
      {"1 1 2\n2 2 4\n", "sequences.txt:2:5: item 4 is here, but item 3 is nowhere"},
      {"1 2 3\n", "sequences.txt:1:5: item 3 is here, but item 1 is nowhere"},
      {"1 1 4294967296\n", "sequences.txt:1:5: item '4294967296' is not a number from 1"}};
  for (const auto& [text, message] : cases) {
    TestFiles files;
    files.put("s/sequences.txt", text);
    EXPECT_THAT(error_of(files, files.options("s3rec", {files.path("s")})), HasSubstr(message));
  }
}

TEST(JsonlImport, RefusesWhatIsWrongAndSaysWhere) {
  const std::string good = "{\"user\":1,\"item\":2,\"time\":3}\n";
  const std::pair<std::string, std::string> cases[] = {
      {good + "{\"user\":1,\"item\" 2}\n", "e.jsonl:2:18: not JSON"},
      {good + "\n" + good, "e.jsonl:2:1: not JSON"},
      {"[1,2]\n", "e.jsonl:1:1: not a JSON object"},
      {"{\"user\":1}\n", "e.jsonl:1:1: no 'item'"},
      {"{\"user\":1,\"item\":null}\n", "e.jsonl:1:11: 'item' is null"},
      {"{\"user\":1,\"item\":{\"item\":3}}\n", "e.jsonl:1:11: 'item' is not a string or a number"},
      {"{\"user\":\"\",\"item\":2}\n", "e.jsonl:1:2: 'user' is not a string or a number"},
      {"{\"user\":1,\"user\":2,\"item\":2}\n", "'user' comes twice"},
      {"{\"user\":1,\"item\":2,\"time\":\"yesterday\"}\n", "e.jsonl:1:20: 'time' is not a time"},
      {"{\"user\":1,\"item\":2,\"time\":true}\n", "e.jsonl:1:20: 'time' is not a time"},
      {"{\"user\":\"a\\nb\",\"item\":2}\n", "the user holds a line break"},
      {good + "{\"user\":1,\"item\":17.0}\n", "e.jsonl:2:11: 'item' is 17.0, not a whole number"},
      {"{\"user\":1e3,\"item\":2}\n", "e.jsonl:1:2: 'user' is 1e3, not a whole number"},
      {"{\"user\":1E3,\"item\":2}\n", "e.jsonl:1:2: 'user' is 1E3, not a whole number"}};
  for (const auto& [text, message] : cases) {
    TestFiles files;
    EXPECT_THAT(error_of(files, files.options("jsonl", {files.put("e.jsonl", text)})), HasSubstr(message));
  }
}

// Latin-1's e with an acute accent, a byte that is no character of UTF-8.
TEST(Import, TextThatIsNotUtf8IsRefusedWithItsPlaceInEveryFormat) {
  const std::string bad = "caf\xe9", inter = "user_id:token\titem_id:token\ttimestamp:float\n";
  struct Case { std::string format, file, text, message; };
  const Case cases[] = {
      {"recbole", "s/m.inter", inter + "u\ti\t5\nu\t" + bad + "\t6\n", "m.inter:3:6: byte 0xE9 is not UTF-8"},
      {"recbole", "s/m.inter", inter + bad + "\ti\t5\n", "m.inter:2:4: byte 0xE9"},
      {"recbole", "s/m.inter", bad + ":token\n", "m.inter:1:4: byte 0xE9"},
      {"recbole", "s/m.item", "item_id:token\ttitle:token_seq\ni\t" + bad + "\n", "m.item:2:6: byte 0xE9"},
      {"s3rec", "s/sequences.txt", bad + " 1\n", "sequences.txt:1:4: byte 0xE9"},
      {"s3rec", "s/items.jsonl", "{\"id\":1,\"key\":\"" + bad + "\"}\n", "items.jsonl:1:19: byte 0xE9"},
      {"jsonl", "e.jsonl", "{\"user\":\"" + bad + "\",\"item\":2}\n", "e.jsonl:1:13: byte 0xE9"},
      {"jsonl", "i.jsonl", "{\"key\":\"" + bad + "\"}\n", "i.jsonl:1:12: byte 0xE9"}};
  for (const Case& c : cases) {
    TestFiles files;
    files.put("s/m.inter", inter + "u\ti\t5\n");
    files.put("s/sequences.txt", "1 1\n");
    files.put("e.jsonl", "{\"user\":1,\"item\":2}\n");
    files.put(c.file, c.text);
    Options options = files.options(c.format, {files.path(c.format == "jsonl" ? "e.jsonl" : "s")});
    if (c.file == "i.jsonl") options.items = files.path(c.file);
    const std::string error = error_of(files, options);
    EXPECT_THAT(error, HasSubstr(c.message));
    EXPECT_THAT(error, HasSubstr("iconv -f latin1 -t utf-8"));
  }
}

TEST(Import, AnUnknownFormatAMissingFileAndAFolderInTheWayAreNamed) {
  TestFiles files;
  const auto path = files.put("e.jsonl", "{\"user\":1,\"item\":2}\n");
  EXPECT_THAT(error_of(files, files.options("csv", {path})), HasSubstr("format 'csv'"));
  EXPECT_EQ(run(files.options("jsonl", {files.path("gone.jsonl")})).error().code, Code::kNotFound);
  Options options = files.options("jsonl", {path});
  options.force = false;
  ASSERT_TRUE(run(options).has_value());
  EXPECT_THAT(run(options).error().message, HasSubstr("--force"));
  options.out = files.path("precious");
  options.force = true;
  files.put("precious/letter.txt", "dear");
  EXPECT_THAT(run(options).error().message, HasSubstr("choose another folder"));
}

TEST(Import, AFileWithoutRowsIsNamed) {
  TestFiles files;
  EXPECT_THAT(error_of(files, files.options("jsonl", {files.put("e.jsonl", "")})), HasSubstr("e.jsonl: no rows"));
  EXPECT_THAT(error_of(files, files.options("jsonl", {files.put("e.jsonl", "\n\n")})), HasSubstr("e.jsonl: no rows"));
  EXPECT_THAT(error_of(files, files.options("jsonl", {files.put("e.gz", gzip(""))})), HasSubstr("e.gz: no rows"));
  EXPECT_THAT(error_of(files, files.options("s3rec", {files.put("S.txt", "")})), HasSubstr("S.txt: no rows"));
}

TEST(Import, AFolderForTheFileOfItemsIsNamed) {
  TestFiles files;
  Options options = files.options("jsonl", {files.put("e.jsonl", "{\"user\":1,\"item\":2}\n")});
  options.items = files.path("");
  EXPECT_THAT(error_of(files, options), HasSubstr("a folder; --items is the file"));
}

// They were taken and did nothing.
TEST(Import, OptionsThatDoNothingAreRefused) {
  TestFiles files;
  const auto jsonl = files.put("e.jsonl", "{\"user\":1,\"item\":2,\"time\":3,\"more\":4}\n");
  const auto recbole = files.put("m.inter", "user_id:token\titem_id:token\tmore:float\nu\ta\t1\n");
  const auto s3rec = files.put("S.txt", "1 1 2\n");
  for (const auto& [format, path] : {std::pair("jsonl", jsonl), {"recbole", recbole}, {"s3rec", s3rec}}) {
    Options options = files.options(format, {path});
    options.columns.ignored = {"nosuch"};
    EXPECT_THAT(error_of(files, options), HasSubstr("--ignore-column")) << format;
    options.columns = {.rating = "nosuch"};
    EXPECT_THAT(error_of(files, options), HasSubstr("--rating-column")) << format;
    options.columns = {.history = "nosuch"};
    EXPECT_THAT(error_of(files, options), HasSubstr(format == std::string("s3rec") ? "--history-column" : "'nosuch'"));
    options.columns = {};
    options.item_columns.key = "nosuch";
    EXPECT_THAT(error_of(files, options), HasSubstr("--item-key names a field of the items, but no file")) << format;
  }
  Options options = files.options("jsonl", {jsonl});
  options.columns = {.time = "time", .ignored = {"time"}};
  EXPECT_THAT(error_of(files, options), HasSubstr("another option names that column"));
  options.columns = {.ignored = {"more"}};
  EXPECT_TRUE(run(options).has_value());
}

// They were deleted with the dataset that --force replaces.
TEST(Import, WhatIsNotOfTheDatasetToReplaceAndInputsInItAreNotDeleted) {
  TestFiles files;
  const std::string row = "{\"user\":1,\"item\":2}\n";
  Options options = files.options("jsonl", {files.put("e.jsonl", row)});
  options.out = files.path("proj/d");
  ASSERT_TRUE(run(options).has_value());
  files.put("proj/d/vectors/behaviour.safetensors", "v");     // --force replaces these with the dataset
  files.put("proj/d/codes/semantic.safetensors", "c");
  ASSERT_TRUE(run(options).has_value());
  EXPECT_FALSE(std::filesystem::exists(files.path("proj/d/vectors")));
  files.put("proj/d/notes.txt", "dear");
  EXPECT_THAT(run(options).error().message, HasSubstr("proj/d: holds notes.txt"));
  std::filesystem::rename(files.path("proj/d/notes.txt"), files.path("proj/d/raw.jsonl"));
  files.put("proj/d/raw.jsonl", row);
  for (const char* input : {"proj/d/raw.jsonl", "proj/d", "proj/d/log/../raw.jsonl"}) {
    options.paths = {files.path(input)};
    EXPECT_THAT(run(options).error().message, HasSubstr("an input, and it lies in"));
  }
  options.paths = {files.path("e.jsonl")};
  options.items = files.path("proj/d/users.txt");
  EXPECT_THAT(run(options).error().message, HasSubstr("an input, and it lies in"));
  EXPECT_TRUE(std::filesystem::exists(files.path("proj/d/raw.jsonl")));
  options.out.clear();
  EXPECT_THAT(run(options).error().message, HasSubstr("is empty"));
}

}  // namespace
}  // namespace dyad::importer
