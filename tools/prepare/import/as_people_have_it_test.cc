// Files as people have them: what they declare is read or refused by name, never passed over; what editors and exports
// leave in them does not hurt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/base/check.h"
#include "common/data/test_times.h"
#include "tools/prepare/import/gzip_for_test.h"
#include "tools/prepare/import/import_test_files.h"
#include "tools/prepare/import/times.h"

namespace dyad::importer {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kMark = "\xef\xbb\xbf";                    // a byte order mark

data::Dataset dataset_of(const TestFiles& files) { return data::Dataset::open(files.path("out")).value(); }
std::vector<std::string> history_of(const TestFiles& files, const std::string& user) {
  return TestFiles::items_of(dataset_of(files), user);
}
std::vector<std::string> catalogue_of(const TestFiles& files) {
  const data::Dataset dataset = dataset_of(files);
  std::vector<std::string> keys;
  for (std::uint32_t i = 0; i < dataset.items(); ++i) keys.push_back(dataset.item(ItemId{i}).key);
  return keys;
}
std::string error_of(const Options& options) {
  const auto report = run(options);
  EXPECT_FALSE(report.has_value());
  return report.has_value() ? "" : report.error().message;
}

TEST(RecboleHistories, ARowsHistoryIsReadBeforeItsItem) {
  TestFiles files;
  const auto path = files.put("m.inter", "user_id:token\titem_id_list:token_seq\titem_id:token\n"
                                         "u\ta b c\td\nv\tb c\ta\n");
  const Report report = run(files.options("recbole", {path})).value();
  EXPECT_EQ(report.rows, 2u);
  EXPECT_EQ(report.from_histories, 5u);
  EXPECT_EQ(report.interactions, 7u);
  EXPECT_THAT(history_of(files, "u"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(history_of(files, "v"), ElementsAre("b", "c", "a"));
}

TEST(RecboleHistories, AnAugmentedFileGivesEachInteractionOnce) {
  TestFiles files;
  const auto path = files.put("m.inter",
                              "user_id:token\titem_id_list:token_seq\titem_id:token\ttimestamp:float\n"
                              "u\ta\tb\t2\nu\ta b\tc\t3\nu\tb c\td\t4\nu\tc d\te\t5\n");  // cut to 2 at the end
  EXPECT_EQ(run(files.options("recbole", {path})).value().interactions, 5u);
  EXPECT_THAT(history_of(files, "u"), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(data::times_of_users(dataset_of(files))[0], ElementsAre(-1, 2, 3, 4, 5));
}

TEST(RecboleHistories, OneThatDoesNotGoOnFromTheRowsBeforeIsRefused) {
  TestFiles files;
  const auto path = files.put("m.inter", "user_id:token\titem_id_list:token_seq\titem_id:token\n"
                                         "u\ta b\tc\nu\tx y z q\td\n");
  EXPECT_THAT(
      error_of(files.options("recbole", {path})),
      HasSubstr("m.inter:3:3: the history of user 'u' does not go on from the rows above ('x' where they have 'a')"));
}

TEST(RecboleHistories, TimesOfTheHistoryAndRowsThatAreOnlyHistoriesAreRead) {
  TestFiles files;
  const auto path = files.put("m.inter", "user_id:token\titem_id:token_seq\ttimestamp:float_seq\nu\ta b c\t1 2 3\n");
  EXPECT_EQ(run(files.options("recbole", {path})).value().interactions, 3u);
  EXPECT_THAT(data::times_of_users(dataset_of(files))[0], ElementsAre(1, 2, 3));
  const auto lists =
      files.put("l.inter", "user_id:token\titem_id_list:token_seq\ttimestamp_list:float_seq\nu\ta b\t1\n");
  EXPECT_THAT(error_of(files.options("recbole", {lists})),
              HasSubstr("l.inter:2:7: 1 times, 'item_id_list' has 2 items"));
}

TEST(RecboleHistories, AListThatNobodyReadsIsRefusedUnlessItIsLeftOutByName) {
  TestFiles files;
  const auto path = files.put("m.inter", "user_id:token\tpast:token_seq\titem_id:token\nu\ta b\tc\n");
  Options options = files.options("recbole", {path});
  EXPECT_THAT(error_of(options), HasSubstr("m.inter:1: column 'past' holds lists"));
  options.columns.history = "past";
  EXPECT_EQ(run(options).value().interactions, 3u);
  options.columns = {.ignored = {"past"}};
  EXPECT_EQ(run(options).value().interactions, 1u);
}

TEST(Histories, OfJsonLinesAreReadToo) {
  TestFiles files;
  Options options = files.options("jsonl", {files.put("e.jsonl", "{\"user\":1,\"item_list\":[\"a\",7],\"item\":\"c\"}\n"
                                                                 "{\"user\":2,\"item_list\":[\"b\"]}\n")});
  EXPECT_EQ(run(options).value().interactions, 4u);
  EXPECT_THAT(history_of(files, "1"), ElementsAre("a", "7", "c"));
  options.paths = {files.put("h.jsonl", "{\"user\":1,\"history\":[\"a\"],\"item\":\"c\"}\n")};
  EXPECT_THAT(error_of(options), HasSubstr("h.jsonl:1:11: column 'history' holds lists"));
  options.columns.history = "history";
  EXPECT_EQ(run(options).value().interactions, 2u);
}

TEST(Import, AByteOrderMarkIsSkippedInEveryTextFile) {
  TestFiles files;
  files.put("r/m.inter", kMark + "user_id:token\titem_id:token\nu\ta\n");
  files.put("r/m.item", kMark + "item_id:token\ttitle:token_seq\na\tA\n");
  EXPECT_EQ(run(files.options("recbole", {files.path("r")})).value().undescribed_items, 0u);
  EXPECT_THAT(history_of(files, "u"), ElementsAre("a"));
  files.put("s/sequences.txt", kMark + "1 1 2\n");
  files.put("s/timestamps.txt", kMark + "1 5 6\n");
  files.put("s/items.jsonl", kMark + "{\"id\":1,\"key\":\"A\"}\n{\"id\":2,\"key\":\"B\"}\n");
  ASSERT_TRUE(run(files.options("s3rec", {files.path("s")})).has_value());
  EXPECT_THAT(history_of(files, "1"), ElementsAre("A", "B"));
  files.put("p/Shop.txt", kMark + "1 1 2\n");
  files.put("p/Shop_item2attributes.json", kMark + "{\"1\": [1], \"2\": []}");
  ASSERT_TRUE(run(files.options("s3rec", {files.path("p")})).has_value());
  Options options = files.options("jsonl", {files.put("e.jsonl", kMark + "{\"user\":1,\"item\":2}\n")});
  options.items = files.put("i.jsonl", kMark + "{\"key\":\"2\",\"title\":\"T\"}\n");
  EXPECT_EQ(run(options).value().undescribed_items, 0u);
}

TEST(Import, BlankLinesAtTheEndAreNoneAndWindowsLineEndsNeither) {
  TestFiles files;
  for (const std::string end : {"\n\n", "\r\n\r\n", "\n \n\r\n", ""}) {
    const std::string mid = end.starts_with('\r') ? "\r\n" : "\n";
    EXPECT_EQ(run(files.options("recbole", {files.put("m.inter", "user_id:token\titem_id:token" + mid + "u\ta" + end)}))
                  .value().interactions, 1u);
    EXPECT_EQ(run(files.options("jsonl", {files.put("e.jsonl", "{\"user\":1,\"item\":2}" + end)})).value().interactions,
              1u);
    EXPECT_EQ(run(files.options("s3rec", {files.put("S.txt", "1 1 2" + end)})).value().interactions, 2u);
  }
  EXPECT_THAT(error_of(files.options("jsonl", {files.put("e.jsonl", "{\"user\":1,\"item\":2}\n\n{}\n")})),
              HasSubstr("e.jsonl:2:1: not JSON; the line is blank"));
}

TEST(Import, GzipIsReadAndOneThatIsCutIsNamed) {
  TestFiles files;
  const std::string one = "{\"user\":1,\"item\":2}\n", two = "{\"user\":1,\"item\":3}\n";
  ASSERT_TRUE(
      run(files.options("jsonl", {files.put("e.jsonl.gz", gzip(one) + gzip(two))})).has_value());  // two members
  EXPECT_THAT(history_of(files, "1"), ElementsAre("2", "3"));
  const std::string whole = gzip(one);
  for (const std::size_t n : {std::size_t{11}, whole.size() - 9, whole.size() - 1})
    EXPECT_THAT(error_of(files.options("jsonl", {files.put("cut.gz", whole.substr(0, n))})),
                HasSubstr("cut.gz: a gzip file that ends after")) << n;
  std::string altered = whole;
  altered[whole.size() - 6] ^= 1;                            // the checksum
  EXPECT_THAT(error_of(files.options("jsonl", {files.put("bad.gz", altered)})), HasSubstr("is damaged"));
  EXPECT_THAT(error_of(files.options("jsonl", {files.put("z.jsonl", "PK\x03\x04...")})),
              HasSubstr("a zip archive; unpack"));
  EXPECT_THAT(error_of(files.options("jsonl", {files.put("w.jsonl", "\xff\xfe{")})), HasSubstr("is UTF-16"));
}

TEST(RecboleImport, AnotherSeparatorThanTabsIsSaid) {
  TestFiles files;
  EXPECT_THAT(error_of(files.options("recbole", {files.put("m.inter", "user_id:token,item_id:token\nu,a\n")})),
              HasSubstr("m.inter:1: fields are separated by tabs, this header has commas"));
  EXPECT_THAT(error_of(files.options("recbole", {files.put("m.inter", "user_id:token\titem_id:token\nu,a\n")})),
              HasSubstr("m.inter:2:1: 1 fields, the header has 2; fields are separated by tabs, this line has commas"));
  EXPECT_THAT(error_of(files.options("recbole", {files.put("m.inter", "user_id:token\titem_id:int\nu\ta\n")})),
              HasSubstr("'item_id:int' has no type of RecBole's"));
  EXPECT_THAT(error_of(files.options("recbole", {files.put("m.inter", "session_id:token\titem_id:token\nu\ta\n")})),
              HasSubstr("no column 'user_id'; it has session_id, item_id; --user-column names another"));
}

TEST(RecboleImport, PartsForTrainingValidationAndTestAreOneDataSet) {
  TestFiles files;
  const std::string head = "user_id:token\titem_id:token\ttimestamp:float\n";
  files.put("b/shop.train.inter", head + "u\ta\t1\nv\tb\t1\n");
  files.put("b/shop.valid.inter", head + "u\tb\t2\nv\tc\t3\n");
  files.put("b/shop.test.inter", head + "u\tc\t3\nv\ta\t2\n");
  files.put("b/shop.item", "item_id:token\ttitle:token_seq\nc\tC\na\tA\nb\tB\n");
  files.put("b/shop.user", "user_id:token\tage:float\nu\t9\n");
  const Report report = run(files.options("recbole", {files.path("b")})).value();
  EXPECT_EQ(report.interactions, 6u);
  EXPECT_EQ(report.undescribed_items, 0u);
  EXPECT_EQ(report.split_differs, 1u);                       // v's test item is older than its item of validation
  EXPECT_THAT(report.unused, ElementsAre("shop.user (shop.user)"));
  EXPECT_THAT(history_of(files, "u"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(catalogue_of(files), ElementsAre("c", "a", "b"));
  files.put("b/other.inter", head + "u\ta\t1\n");
  EXPECT_THAT(error_of(files.options("recbole", {files.path("b")})), HasSubstr("name the file, or the parts"));
}

TEST(RecboleImport, FilesBesideAreReadOrListedAndHiddenOnesAreNot) {
  TestFiles files;
  const std::string head = "user_id:token\titem_id:token\n";
  files.put("r/shop.inter", head + "u\ta\n");
  files.put("r/._shop.inter", "\x05");                      // macOS leaves them
  files.put("r/.x.inter", "");
  files.put("r/items.item", "item_id:token\ttitle:token_seq\na\tA\n");
  files.put("r/notes.md", "");
  Report report = run(files.options("recbole", {files.path("r")})).value();
  EXPECT_EQ(report.undescribed_items, 0u);                   // the only .item, whatever its name
  EXPECT_THAT(report.unused, ElementsAre("notes.md (notes.md)"));
  EXPECT_EQ(run(files.options("recbole", {files.path("r/shop.inter")})).value().undescribed_items, 0u);
  files.put("r/other.item", "item_id:token\ttitle:token_seq\na\tA\n");
  report = run(files.options("recbole", {files.path("r")})).value();
  EXPECT_EQ(report.undescribed_items, 1u);
  EXPECT_THAT(report.unused, ElementsAre("items.item (items.item)", "other.item (other.item)", "notes.md (notes.md)"));
  files.put("r/shop.item", "item_id:token\ttitle:token_seq\na\tA\n");
  report = run(files.options("recbole", {files.path("r/shop.inter")})).value();
  EXPECT_EQ(report.undescribed_items, 0u);
  EXPECT_THAT(report.unused, ElementsAre("items.item (items.item)", "other.item (other.item)"));
}

TEST(RecboleImport, AYearIsAddedToATitleThatDoesNotEndWithIt) {
  TestFiles files;
  const auto path = files.put("m.inter", "user_id:token\titem_id:token\nu\ta\nu\tb\nu\tc\n");
  files.put("m.item", "item_id:token\ttitle:token_seq\trelease_year:token\n"
                      "a\tLeon (The Professional)\t1994\nb\tHeat (1995)\t1995\nc\tUp\t\n");
  ASSERT_TRUE(run(files.options("recbole", {path})).has_value());
  const data::Dataset dataset = dataset_of(files);
  EXPECT_EQ(dataset.item(ItemId{0}).title, "Leon (The Professional) (1994)");
  EXPECT_EQ(dataset.item(ItemId{1}).title, "Heat (1995)");
  EXPECT_EQ(dataset.item(ItemId{2}).title, "Up");
}

TEST(S3recImport, FilesBesideAreListedAndHiddenOnesAreNot) {
  TestFiles files;
  files.put("s/sequences.txt", "1 1 2\n");
  files.put("s/Other.txt", "1 1\n");
  files.put("s/._sequences.txt", "");
  EXPECT_THAT(run(files.options("s3rec", {files.path("s")})).value().unused, ElementsAre("Other.txt (Other.txt)"));
  files.put("p/Shop.txt", "1 1 2\n");
  files.put("p/._Shop.txt", "");
  files.put("p/notes.md", "");
  EXPECT_THAT(run(files.options("s3rec", {files.path("p")})).value().unused, ElementsAre("notes.md (notes.md)"));
}

TEST(Import, EntitiesOfHtmlInTheTextOfItemsAreCharactersInEveryFormat) {
  TestFiles files;
  const std::string json = "\"title\":\"A &amp; B&#39;s\",\"brand\":\"&quot;C&quot;\","
                           "\"categories\":[\"D &amp;lt; E\"]}\n";
  Options jsonl = files.options("jsonl", {files.put("e.jsonl", "{\"user\":1,\"item\":\"a&amp;\"}\n")});
  jsonl.items = files.put("i.jsonl", "{\"key\":\"a&amp;\"," + json);
  files.put("s/sequences.txt", "1 1\n");
  files.put("s/items.jsonl", "{\"id\":1,\"key\":\"a&amp;\"," + json);
  files.put("r/m.inter", "user_id:token\titem_id:token\nu\ta&amp;\n");
  files.put("r/m.item", "item_id:token\ttitle:token_seq\tbrand:token\tclass:token\n"
                        "a&amp;\tA &amp; B&#39;s\t&quot;C&quot;\tD&nbsp;&amp;lt;&nbsp;E\n");
  for (const Options& options : {jsonl, files.options("s3rec", {files.path("s")}),
                                 files.options("recbole", {files.path("r")})}) {
    ASSERT_TRUE(run(options).has_value()) << options.format;
    const data::Item item = dataset_of(files).item(ItemId{0});
    EXPECT_EQ(item.key, "a&amp;");                           // keys are taken as they are
    EXPECT_EQ(item.title, "A & B's");
    EXPECT_EQ(item.brand, "\"C\"");
    EXPECT_EQ(item.categories, (std::vector<std::vector<std::string>>{{"D &lt; E"}})) << options.format;
  }
}

TEST(S3recImport, FieldsAreSeparatedByAnyBlanks) {
  TestFiles files;
  for (const char* text :
       {"1 1 2 3\n2 2 3 1\n", "1\t1 2 3\n2\t2\t3\t1\n", "1 1 2 3 \n2 2 3 1\t\n", "1  1 2 3\n 2 2  3 1\n"}) {
    EXPECT_EQ(run(files.options("s3rec", {files.put("S.txt", text)})).value().interactions, 6u) << text;
    EXPECT_THAT(history_of(files, "2"), ElementsAre("2", "3", "1")) << text;
  }
}

TEST(S3recImport, ThePublishedLayoutIsReadByItsFileAndByItsFolder) {
  TestFiles files;
  const auto shop = files.put("p/Shop.txt", "1 1 2 4\n2 2 1\n");
  EXPECT_THAT(error_of(files.options("s3rec", {shop})), HasSubstr("item 4 is here, but item 3 is nowhere"));
  files.put("p/Shop_item2attributes.json", "{\"1\": [1, 2], \"2\": [1], \"3\": [9], \"4\": []}");
  files.put("p/Shop_sample.txt", "1 3 3\n");
  for (const auto& path : {shop, files.path("p")}) {
    const Report report = run(files.options("s3rec", {path})).value();
    EXPECT_EQ(report.items, 4u);
    EXPECT_EQ(report.interactions, 5u);
    EXPECT_THAT(report.unused,
                ElementsAre(HasSubstr("attributes (numbers without names)"), HasSubstr("Shop_sample.txt")));
  }
  files.put("p/Toys.txt", "1 1\n");
  EXPECT_THAT(run(files.options("s3rec", {files.path("p")})).value().unused, Contains(HasSubstr("Toys.txt")));
  files.put("p/Toys_item2attributes.json", "{}");            // now there are two
  EXPECT_THAT(error_of(files.options("s3rec", {files.path("p")})), HasSubstr("holds Shop.txt, Toys.txt"));
  Options options = files.options("s3rec", {shop});
  options.columns.user = "u";
  EXPECT_THAT(error_of(options), HasSubstr("leave out --user-column"));
}

TEST(JsonlImport, NullIsUnknownOrAbsentAndACategoryPathMayBeFlat) {
  TestFiles files;
  Options options = files.options("jsonl", {files.put("e.jsonl", "{\"user\":1,\"item\":\"a\",\"time\":null}\n")});
  options.items =
      files.put("i.jsonl", "{\"key\":\"a\",\"title\":\"T\",\"brand\":null,\"categories\":[\"A\",\"B\"],\"price\":2}\n");
  const Report report = run(options).value();
  EXPECT_EQ(report.unknown_times, 1u);
  EXPECT_THAT(report.unused, ElementsAre("price (i.jsonl)"));
  EXPECT_EQ(dataset_of(files).item(ItemId{0}).categories, (std::vector<std::vector<std::string>>{{"A", "B"}}));
  options.paths = {files.put("e.jsonl", "{\"user\":null,\"item\":\"a\"}\n")};
  EXPECT_THAT(error_of(options), HasSubstr("e.jsonl:1:2: 'user' is null"));
}

TEST(JsonlImport, ColumnsCanBeNamedAndTheErrorListsThoseThatAreThere) {
  TestFiles files;
  Options options = files.options("jsonl", {files.put("e.jsonl", "{\"who\":\"u\",\"asin\":\"a\",\"overall\":5}\n")});
  EXPECT_THAT(error_of(options),
              HasSubstr("e.jsonl:1:1: no 'user'; it has asin, overall, who; --user-column names another"));
  options.columns.user = "who";
  options.item_columns = {.key = "asin", .title = "name"};   // of both files
  options.items = files.put("i.jsonl", "{\"asin\":\"a\",\"name\":\"A\"}\n");
  EXPECT_THAT(run(options).value().unused, ElementsAre("overall (e.jsonl)"));
  EXPECT_EQ(dataset_of(files).item(ItemId{0}).title, "A");
  options.item_columns.key.clear();
  options.columns.item = "asin";
  EXPECT_THAT(error_of(options), HasSubstr("i.jsonl:1: no 'key'; it has asin, name; --item-key names another"));
  options.item_columns = {.key = "asin", .title = "titel"};
  EXPECT_THAT(error_of(options), HasSubstr("i.jsonl: no line has 'titel' (--title-key)"));
  options.items.clear();
  EXPECT_THAT(error_of(options), HasSubstr("--title-key names a field of the items, but no file describes them"));
}

TEST(JsonlImport, WhatIsNoJsonLineIsRecognised) {
  TestFiles files;
  const auto error = [&](const char* text) { return error_of(files.options("jsonl", {files.put("e.jsonl", text)})); };
  EXPECT_THAT(error("[{\"user\":1}]\n"), HasSubstr("jq -c '.[]'"));
  EXPECT_THAT(error("{'user': 1}\n"), HasSubstr("single quotes are Python's"));
}

TEST(Import, AFolderStandsForTheFilesOfTheFormatInIt) {
  TestFiles files;
  files.put("f/b.jsonl", "{\"user\":1,\"item\":\"b\"}\n");
  files.put("f/a.jsonl", "{\"user\":1,\"item\":\"a\"}\n");
  files.put("f/readme.txt", "hello");
  files.put("f/_SUCCESS", "");
  Options options = files.options("jsonl", {files.path("f")});
  options.items = files.put("f/items.jsonl", "{\"key\":\"a\"}\n");
  EXPECT_THAT(run(options).value().unused, ElementsAre("readme.txt (f)"));
  EXPECT_THAT(history_of(files, "1"), ElementsAre("a", "b"));
  options.format = "parquet";
  EXPECT_THAT(error_of(options), HasSubstr("/f: a folder without a file of parquet (*.parquet)"));
  options.paths = {files.path("gone.parquet")};
  EXPECT_EQ(run(options).error().code, Code::kNotFound);
}

TEST(Import, DatesAreTimes) {
  TestFiles files;
  const std::pair<const char*, std::int64_t> cases[] = {
      {"1970-01-02", 86'400}, {"2014-07-23 10:30:05", 1'406'111'405}, {"2014-07-23T10:30:05.75Z", 1'406'111'405},
      {"2014-07-23T12:30:05+02:00", 1'406'111'405}, {"2014-07-23T06:30-0400", 1'406'111'400}, {"1.5e3", 1'500}};
  for (const auto& [text, time] : cases) EXPECT_EQ(parse_time(std::string_view(text)).value().s, time) << text;
  for (const char* text : {"2014-02-30", "2014-7-23", "2014-07-23T25:00", "2014-07-23 ", "1969-12-31", "20140723T",
                           "+5", "2014-07-23T10:30:05+", "2014-07-23T10:30:05 UTC", ""})
    EXPECT_FALSE(parse_time(std::string_view(text)).has_value()) << text;
}

TEST(Import, TimesAreReadToTheNanosecond) {
  const std::pair<const char*, Time> cases[] = {
      {"1400000000.123456789", {1'400'000'000, 123'456'789}}, {"5.0000000019", {5, 1}}, {"5.25", {5, 250'000'000}},
      {"2014-07-23T10:30:05.75Z", {1'406'111'405, 750'000'000}}, {"1970-01-01 00:00:01,5", {1, 500'000'000}},
      {"15e-1", {1, 500'000'000}}, {"-1.0", {}}, {"-1", {}}};
  for (const auto& [text, time] : cases) EXPECT_EQ(parse_time(std::string_view(text)).value(), time) << text;
  EXPECT_EQ((Time{4, 250'000'000}.text()), "4.25");
  EXPECT_EQ(Time{4}.text(), "4");
}

// They were cut to seconds before they were compared.
TEST(Import, OrderTiesAndRepetitionGoByTheFractionOfTheTimeToo) {
  TestFiles files;
  const auto path = files.put("e.jsonl", "{\"user\":1,\"item\":\"b\",\"time\":1400000000.9}\n"
                                         "{\"user\":1,\"item\":\"a\",\"time\":1400000000.1}\n"
                                         "{\"user\":1,\"item\":\"a\",\"time\":\"2014-05-13T16:53:20.2Z\"}\n");
  Options options = files.options("jsonl", {path});
  options.distinct = true;
  const Report report = run(options).value();
  EXPECT_THAT(history_of(files, "1"), ElementsAre("a", "a", "b"));
  EXPECT_EQ(report.tied_rows, 0u);
  EXPECT_EQ(report.out_of_order, 1u);
  EXPECT_THAT(data::times_of_users(dataset_of(files))[0], ElementsAre(1'400'000'000, 1'400'000'000, 1'400'000'000));
  options.require_order = true;
  EXPECT_THAT(error_of(options), HasSubstr("e.jsonl:2:22: time 1400000000.1 of user '1' is before 1400000000.9"));
}

TEST(Import, RowsOfUnknownTimeAreNoRepetition) {
  TestFiles files;
  Options options = files.options("s3rec", {files.put("S.txt", "1 1 2 1 3\n")});
  options.distinct = true;
  EXPECT_EQ(run(options).value().repeated, 0u);
  EXPECT_THAT(history_of(files, "1"), ElementsAre("1", "2", "1", "3"));
}

TEST(Import, TheCatalogueHasTheOrderOfTheFileOfItems) {
  TestFiles files;
  Options options = files.options("jsonl", {files.put("e.jsonl",
                                                      "{\"user\":1,\"item\":\"x\"}\n{\"user\":1,\"item\":\"b\"}\n"
                                                      "{\"user\":1,\"item\":\"a\"}\n{\"user\":2,\"item\":\"b\"}\n")});
  options.items = files.put("i.jsonl", "{\"key\":\"a\"}\n{\"key\":\"cold\"}\n{\"key\":\"b\"}\n");
  EXPECT_EQ(run(options).value().unused_items, 1u);
  EXPECT_THAT(catalogue_of(files), ElementsAre("a", "b", "x"));   // x is not described: behind
  EXPECT_THAT(history_of(files, "1"), ElementsAre("x", "b", "a"));
}

TEST(Import, RowsCanBeLeftOutByRatingAndByRepetition) {
  TestFiles files;
  Options options = files.options("recbole", {files.put("m.inter",
      "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
      "u\ta\t5\t1\nu\ta\t5\t1\nu\tb\t2\t2\nu\tc\t\t3\nu\td\t4\t4\n")});
  Report report = run(options).value();
  EXPECT_EQ(report.repeated, 1u);
  EXPECT_EQ(report.interactions, 5u);
  EXPECT_THAT(report.unused, ElementsAre("rating (m.inter)"));
  options.min_rating = 4;
  options.distinct = true;
  report = run(options).value();
  EXPECT_EQ(report.low_ratings, 2u);
  EXPECT_THAT(history_of(files, "u"), ElementsAre("a", "d"));
  EXPECT_THAT(report.unused, IsEmpty());
  options.columns.rating = "stars";
  EXPECT_THAT(error_of(options), HasSubstr("no column 'stars'"));
  options.min_rating = 9;
  options.columns.rating = "rating";
  EXPECT_THAT(error_of(options), HasSubstr("lower --min-rating"));
}

TEST(Import, TheReportTellsWhoGivesSamplesAndWhatTies) {
  TestFiles files;
  const Report report = run(files.options("recbole", {files.put("m.inter",
      "user_id:token\titem_id:token\ttimestamp:float\nu\ta\t1\nu\tb\t2\nv\ta\t1\nv\tb\t2\nv\tc\t2\nw\ta\t1\n"
      "x\ta\t1\nx\tb\t1\nx\tc\t2\nx\td\t3\n")})).value();
  EXPECT_EQ(report.users_training, 2u);                      // u and x; v's three are history, validation and test
  EXPECT_EQ(report.users_evaluated, 2u);                     // v and x
  EXPECT_EQ(report.tied_rows, 2u);
  EXPECT_EQ(report.tied_last, 1u);                           // v
  EXPECT_EQ(report.far_times, 0u);
  EXPECT_EQ(run(files.options("jsonl", {files.put("ms.jsonl", "{\"user\":1,\"item\":2,\"time\":1588687728923}\n")}))
                .value().far_times, 1u);
}

}  // namespace
}  // namespace dyad::importer
