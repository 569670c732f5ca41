// Parquet files that the test itself writes with Arrow.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>
#include "common/base/check.h"
#include "common/data/test_times.h"
#include "tools/prepare/import/import_test_files.h"

namespace dyad::importer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Column = std::shared_ptr<arrow::Array>;

template <class Builder, class T>
Column column(Builder builder, const std::vector<std::optional<T>>& values) {
  for (const auto& value : values) CHECK((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}
Column strings(const std::vector<std::optional<std::string>>& values) { return column(arrow::StringBuilder(), values); }
Column numbers(const std::vector<std::optional<std::int64_t>>& values) { return column(arrow::Int64Builder(), values); }
Column millis(const std::vector<std::optional<std::int64_t>>& values) {
  return column(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool()),
                values);
}

// `arrow_schema`: as pyarrow writes, with Arrow's own types beside Parquet's.
std::filesystem::path write(const TestFiles& files, const std::vector<std::pair<std::string, Column>>& columns,
                            bool arrow_schema = false) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<Column> arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  const std::filesystem::path path = files.path("e.parquet");
  const auto out = arrow::io::FileOutputStream::Open(path.string()).ValueOrDie();
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  parquet::ArrowWriterProperties::Builder properties;
  if (arrow_schema) properties.store_schema();
  CHECK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 2,   // row groups of 2
                                   parquet::default_writer_properties(), properties.build()).ok());
  CHECK(out->Close().ok());
  return path;
}

TEST(ParquetImport, ReadsKeysOfEitherKindAndTimesOfEitherKind) {
  TestFiles files;
  const auto path = write(files, {{"noise", strings({"x", "x", "x", "x", "x"})},
                                  {"item", strings({"c", "a", "b", "a", "d"})},
                                  {"user", numbers({7, 7, 8, 8, 7})},
                                  {"time", millis({3999, 1000, 5000, std::nullopt, 2000})}});
  const Report report = run(files.options("parquet", {path})).value();
  EXPECT_EQ(report.interactions, 5u);
  EXPECT_EQ(report.unknown_times, 1u);
  EXPECT_EQ(report.out_of_order, 1u);
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  EXPECT_THAT(TestFiles::items_of(dataset, "7"), ElementsAre("a", "d", "c"));
  EXPECT_THAT(TestFiles::items_of(dataset, "8"), ElementsAre("b", "a"));
  EXPECT_THAT(data::times_of_users(dataset)[0], ElementsAre(1, 2, 3));
}

TEST(ParquetImport, RequiredOrderNamesTheRow) {
  TestFiles files;
  const auto path = write(files, {{"user", strings({"u", "v", "u"})}, {"item", strings({"a", "a", "b"})},
                                  {"time", numbers({5, 1, 4})}});
  Options options = files.options("parquet", {path});
  EXPECT_EQ(run(options).value().out_of_order, 1u);
  options.require_order = true;
  EXPECT_THAT(run(options).error().message,
              HasSubstr("e.parquet:3: time 4 of user 'u' is before 5 of the same user's row above"));
}

TEST(ParquetImport, TimeMayBeMissingUnlessItWasNamed) {
  TestFiles files;
  const auto path = write(files, {{"user", strings({"u", "u"})}, {"item", numbers({2, 1})}});
  Options options = files.options("parquet", {path});
  ASSERT_TRUE(run(options).has_value());
  EXPECT_THAT(TestFiles::items_of(data::Dataset::open(files.path("out")).value(), "u"), ElementsAre("2", "1"));
  options.columns.time = "when";
  EXPECT_THAT(run(options).error().message, HasSubstr("no column 'when' (or it comes twice); it has user, item"));
}

// A column of lists and one of structs, a value each per row.
Column lists(std::size_t rows) {
  const auto values = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (std::size_t i = 0; i < rows; ++i)
    CHECK(builder.Append().ok() && values->Append("x").ok() && values->Append("y").ok());
  return builder.Finish().ValueOrDie();
}
Column pairs(const Column& a, const Column& b) {
  return arrow::StructArray::Make({a, b}, std::vector<std::string>{"user", "item"}).ValueOrDie();
}

// They were refused whole: a nested column is several leaves, so that ours have other numbers than in the schema.
TEST(ParquetImport, NestedColumnsBesideOursAreLeftAlone) {
  TestFiles files;
  const Column other = strings({"no", "no", "no"});
  const auto path = write(files, {{"tags", lists(3)},
                                  {"user", numbers({7, 7, 8})},
                                  {"meta", pairs(other, other)},
                                  {"item", strings({"b", "a", "c"})},
                                  {"more", lists(3)},
                                  {"time", numbers({2, 1, 3})}});
  Options options = files.options("parquet", {path});
  options.columns.ignored = {"tags", "more"};
  ASSERT_TRUE(run(options).has_value());
  const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
  EXPECT_THAT(TestFiles::items_of(dataset, "7"), ElementsAre("a", "b"));
  EXPECT_THAT(TestFiles::items_of(dataset, "8"), ElementsAre("c"));
  Options nested = options;
  nested.columns.item = "meta";
  EXPECT_THAT(run(nested).error().message, HasSubstr("column 'meta' is nested ("));
  nested.columns.item = "tags";                    // lists are whole histories, and 7 has two rows of one
  nested.columns.ignored = {"more", "time"};
  EXPECT_THAT(run(nested).error().message, HasSubstr("e.parquet:2: user '7' came before with this history"));
}

// -1 alone means unknown, as in the text formats: a cast made -1 of all that lies between it and -2.
TEST(ParquetImport, TimesBefore1970AreRefusedToTheFraction) {
  TestFiles files;
  const auto with = [&](const Column& times) {
    return run(files.options(
        "parquet", {write(files, {{"user", strings({"u", "u"})}, {"item", strings({"a", "b"})}, {"time", times}})}));
  };
  const auto reals = [](double first, double second) {
    return column(arrow::DoubleBuilder(), std::vector<std::optional<double>>{first, second});
  };
  EXPECT_EQ(with(reals(-1, 5.9)).value().unknown_times, 1u);
  EXPECT_EQ(with(numbers({-1, 5})).value().unknown_times, 1u);
  EXPECT_EQ(with(millis({-1000, 5})).value().unknown_times, 1u);
  for (const double bad : {-1.5, -0.5, -2., 1e19, std::nan(""), HUGE_VAL})
    EXPECT_THAT(with(reals(1, bad)).error().message, HasSubstr("e.parquet: row 2, column 'time': ")) << bad;
  EXPECT_THAT(with(reals(1, -1.5)).error().message, HasSubstr("-1.5 is no time in seconds since 1970"));
  EXPECT_THAT(with(millis({1, -1500})).error().message, HasSubstr("row 2, column 'time': 1969-12-31 23:59:58.500 is"));
  EXPECT_THAT(with(millis({-1, 1})).error().message, HasSubstr("row 1, column 'time': "));
}

TEST(ParquetImport, RefusesWhatIsWrongAndSaysWhere) {
  TestFiles files;
  const auto error = [&](const std::vector<std::pair<std::string, Column>>& columns) {
    const auto report = run(files.options("parquet", {write(files, columns)}));
    EXPECT_FALSE(report.has_value());
    EXPECT_FALSE(std::filesystem::exists(files.path("out")));
    return report.has_value() ? "" : report.error().message;
  };
  const Column users = strings({"u", "u", "u"}), items = strings({"a", "b", "c"});
  EXPECT_THAT(error({{"item", items}}), HasSubstr("e.parquet: no column 'user'"));
  EXPECT_THAT(error({{"user", strings({"u", "u", std::nullopt})}, {"item", items}}),
              HasSubstr("e.parquet: row 3, column 'user': null"));
  EXPECT_THAT(error({{"user", users}, {"item", strings({"a", std::nullopt, "c"})}}),
              HasSubstr("row 2, column 'item': null"));
  EXPECT_THAT(error({{"user", users}, {"item", strings({"a", "", "c"})}}), HasSubstr("e.parquet:2: the item is empty"));
  EXPECT_THAT(error({{"user", users}, {"item", items}, {"time", strings({"1", "soon", "3"})}}),
              HasSubstr("row 2, column 'time': soon is no time"));
  EXPECT_THAT(error({{"user", users}, {"item", items}, {"time", numbers({1, -5, 3})}}),
              HasSubstr("row 2, column 'time': -5 is no time in seconds since 1970"));
  EXPECT_THAT(error({{"user", column(arrow::DoubleBuilder(), std::vector<std::optional<double>>{1., 2., 3.})},
                     {"item", items}}),
              HasSubstr("column 'user'"));
  EXPECT_THAT(error({{"user", users}, {"item", strings({"a", "b", "caf\xe9"})}}),
              HasSubstr("e.parquet:3: the item is not UTF-8 (byte 0xE9)"));
  EXPECT_THAT(error({{"user", strings({"u", "\xe9", "u"})}, {"item", items}}),
              HasSubstr("e.parquet:2: the user is not UTF-8 (byte 0xE9)"));
  const auto damaged = run(files.options("parquet", {files.put("bad.parquet", "PAR1 no more")}));
  EXPECT_THAT(damaged.error().message, HasSubstr("bad.parquet"));
}

Column binaries(int width, const std::vector<std::string>& values) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(width));
  for (const std::string& value : values) CHECK(builder.Append(value).ok());
  return builder.Finish().ValueOrDie();
}
Column decimals(int scale, const std::vector<int>& values) {
  arrow::Decimal128Builder builder(arrow::decimal128(18, scale));
  for (const int value : values) CHECK(builder.Append(arrow::Decimal128(value)).ok());
  return builder.Finish().ValueOrDie();
}
Column as(const Column& column, const std::shared_ptr<arrow::DataType>& type) {
  return arrow::compute::Cast(*column, type).ValueOrDie();
}

std::vector<std::string> keys_read(const TestFiles& files, const Column& keys) {
  std::vector<std::string> read[2];
  for (const bool arrow_schema : {false, true}) {
    const auto path = write(files, {{"user", strings({"u", "u"})}, {"item", keys}}, arrow_schema);
    const auto report = run(files.options("parquet", {path}));
    if (!report) return {report.error().message};
    read[arrow_schema] = TestFiles::items_of(data::Dataset::open(files.path("out")).value(), "u");
  }
  EXPECT_EQ(read[0], read[1]);
  return read[0];
}

TEST(ParquetImport, KeysOfEveryTypeAreReadAsTheyArePrintedOrRefused) {
  TestFiles files;
  const std::string bytes = "\x8f\x14\xe4\x5f\xce\xea\x46\x7f\xa8\xd2\x01\x02\x03\x04\x05\x06";
  const std::string other = std::string(15, '\0') + "\x01";
  const Column raw = binaries(16, {bytes, other});
  const auto uuid = arrow::extension::uuid();
  EXPECT_THAT(keys_read(files, arrow::ExtensionType::WrapArray(uuid, raw)),
              ElementsAre("8f14e45f-ceea-467f-a8d2-010203040506", "00000000-0000-0000-0000-000000000001"));
  EXPECT_THAT(keys_read(files, raw),
              ElementsAre("8f14e45fceea467fa8d2010203040506", "00000000000000000000000000000001"));
  EXPECT_THAT(keys_read(files, as(strings({"a", "b"}), arrow::binary())), ElementsAre("a", "b"));
  EXPECT_THAT(keys_read(files, as(strings({"a", "b\x01"}), arrow::binary())),
              ElementsAre(HasSubstr("is no text (hex 6201)")));
  EXPECT_THAT(keys_read(files, as(strings({"a", "b"}), arrow::large_utf8())), ElementsAre("a", "b"));
  EXPECT_THAT(keys_read(files, as(strings({"a", "b"}), arrow::dictionary(arrow::int32(), arrow::utf8()))),
              ElementsAre("a", "b"));
  EXPECT_THAT(keys_read(files, as(numbers({7, 8}), arrow::uint8())), ElementsAre("7", "8"));
  EXPECT_THAT(keys_read(files, decimals(0, {7, 8})), ElementsAre("7", "8"));
  for (const auto& [keys, type] : std::vector<std::pair<Column, std::string>>{
           {decimals(2, {700, 800}), "decimal128(18, 2)"}, {millis({1, 2}), "timestamp[ms"},
           {as(numbers({1, 0}), arrow::boolean()), "bool"}, {as(numbers({1, 2}), arrow::float32()), "float"},
           {as(as(numbers({1, 2}), arrow::int32()), arrow::date32()), "date32"}})
    EXPECT_THAT(keys_read(files, keys), ElementsAre(HasSubstr("column 'item': Type error: keys are of type " + type)));
}

TEST(ParquetImport, TimesOfEveryTypeAreSecondsOrRefused) {
  TestFiles files;
  const auto times = [&](const Column& column) -> std::vector<std::int64_t> {
    const auto path = write(files, {{"user", strings({"u", "u"})}, {"item", strings({"a", "b"})}, {"time", column}});
    if (!run(files.options("parquet", {path}))) return {};
    const auto read = data::times_of_users(data::Dataset::open(files.path("out")).value())[0];
    return {read.begin(), read.end()};
  };
  const Column whole = numbers({3, 86'400});
  for (const auto unit :
       {arrow::TimeUnit::SECOND, arrow::TimeUnit::MILLI, arrow::TimeUnit::MICRO, arrow::TimeUnit::NANO})
    EXPECT_THAT(times(as(as(whole, arrow::timestamp(arrow::TimeUnit::SECOND)), arrow::timestamp(unit))),
                ElementsAre(3, 86'400));
  EXPECT_THAT(times(as(as(numbers({1, 2}), arrow::int32()), arrow::date32())), ElementsAre(86'400, 172'800));
  EXPECT_THAT(times(decimals(0, {3, 5})), ElementsAre(3, 5));
  EXPECT_THAT(times(decimals(2, {399, 550})), ElementsAre(3, 5));
  EXPECT_THAT(times(strings({"3", "1970-01-02"})), ElementsAre(3, 86'400));
  EXPECT_THAT(times(as(whole, arrow::uint32())), ElementsAre(3, 86'400));
  EXPECT_THAT(times(arrow::MakeArrayOfNull(arrow::null(), 2).ValueOrDie()), ElementsAre(-1, -1));
  EXPECT_TRUE(times(as(numbers({1, 0}), arrow::boolean())).empty());
  EXPECT_TRUE(times(strings({"3", "soon"})).empty());
}

TEST(ParquetImport, TimesOfEveryTypeAreOrderedByTheirFraction) {
  TestFiles files;
  const auto reals = column(arrow::DoubleBuilder(), std::vector<std::optional<double>>{1.75, 1.25, 1.5});
  const Column nanos =
      as(numbers({1'000'000'003, 1'000'000'001, 1'000'000'002}), arrow::timestamp(arrow::TimeUnit::NANO));
  for (const Column& times : {millis({1750, 1250, 1500}), reals, decimals(2, {175, 125, 150}), nanos,
                              strings({"1.75", "1970-01-01T00:00:01.25Z", "1.5"})}) {
    const auto path = write(files, {{"user", strings({"u", "u", "u"})}, {"item", strings({"c", "a", "b"})},
                                    {"time", times}});
    const Report report = run(files.options("parquet", {path})).value();
    EXPECT_THAT(TestFiles::items_of(data::Dataset::open(files.path("out")).value(), "u"), ElementsAre("a", "b", "c"));
    EXPECT_EQ(report.tied_rows, 0u);
  }
}

TEST(ParquetImport, ListsOfKeysAreHistoriesAndOthersAreNotPassedOver) {
  TestFiles files;
  const Column users = strings({"u", "v"}), items = strings({"c", "c"});
  auto path = write(files, {{"user", users}, {"item_list", lists(2)}, {"item", items}, {"price", numbers({1, 2})}});
  const Report report = run(files.options("parquet", {path})).value();
  EXPECT_EQ(report.interactions, 6u);
  EXPECT_THAT(report.unused, ElementsAre("price (e.parquet)"));
  EXPECT_THAT(TestFiles::items_of(data::Dataset::open(files.path("out")).value(), "u"), ElementsAre("x", "y", "c"));
  for (const auto& type : {arrow::large_list(arrow::utf8()), arrow::fixed_size_list(arrow::utf8(), 2)}) {
    path = write(files, {{"user", users}, {"item_list", as(lists(2), type)}, {"item", items}}, true);
    EXPECT_EQ(run(files.options("parquet", {path})).value().interactions, 6u) << type->ToString();
  }
  path = write(files, {{"user", users}, {"item", lists(2)}});
  EXPECT_EQ(run(files.options("parquet", {path})).value().interactions, 4u);
  path = write(files, {{"user", users}, {"history", lists(2)}, {"item", items}});
  Options options = files.options("parquet", {path});
  EXPECT_THAT(run(options).error().message, HasSubstr("column 'history' holds lists"));
  options.columns.ignored = {"history"};
  EXPECT_EQ(run(options).value().interactions, 2u);
}

Column time_lists(const Column& values, std::int32_t each) {
  arrow::Int32Builder ends;
  for (std::int32_t at = 0; at <= values->length(); at += each) CHECK(ends.Append(at).ok());
  return arrow::ListArray::FromArrays(*ends.Finish().ValueOrDie(), *values).ValueOrDie();
}

// They were passed over, rubbish too.
TEST(ParquetImport, TimesOfAHistoryAreReadOrRefused) {
  TestFiles files;
  const Column users = strings({"u", "v"});
  for (const char* name : {"time", "time_list"}) {
    const auto with = [&](const Column& times) {
      return run(files.options("parquet", {write(files, {{"user", users}, {"item_list", lists(2)}, {name, times}})}));
    };
    ASSERT_TRUE(with(time_lists(millis({2500, 2250, 1, 2}), 2)).has_value());
    const data::Dataset dataset = data::Dataset::open(files.path("out")).value();
    EXPECT_THAT(TestFiles::items_of(dataset, "u"), ElementsAre("y", "x"));
    EXPECT_THAT(data::times_of_users(dataset)[0], ElementsAre(2, 2));
    EXPECT_THAT(with(time_lists(numbers({1, 2}), 1)).error().message, HasSubstr("1 times, 'item_list' has 2 items"));
    EXPECT_THAT(with(time_lists(strings({"1", "soon", "1", "2"}), 2)).error().message,
                HasSubstr(std::string("row 1, column '") + name + "': soon is no time"));
  }
  const auto path = write(files, {{"user", users}, {"item_list", lists(2)}, {"time", numbers({1, 2})}});
  EXPECT_THAT(run(files.options("parquet", {path})).error().message, HasSubstr("column 'time' has one time a row"));
}

TEST(ParquetImport, UnreadColumnsThatMayBeHistoriesOrTimesAreRefused) {
  TestFiles files;
  const Column users = strings({"u", "v"}), items = strings({"a", "b"});
  const std::vector<std::pair<std::string, Column>> refused = {
      {"clicked", lists(2)}, {"tags", lists(2)}, {"history", pairs(items, items)}, {"past", strings({"a b", "c"})},
      {"info", arrow::StructArray::Make({lists(2)}, std::vector<std::string>{"items"}).ValueOrDie()},
      {"timestamp", numbers({1, 2})}, {"ts", strings({"1", "2"})}, {"seen", millis({1, 2})}};
  for (const auto& [name, column] : refused) {
    Options options = files.options("parquet", {write(files, {{"user", users}, {"item", items}, {name, column}})});
    const auto report = run(options);
    ASSERT_FALSE(report.has_value()) << name;
    EXPECT_THAT(report.error().message, HasSubstr("'" + name + "'")) << name;
    EXPECT_THAT(report.error().message, HasSubstr("--ignore-column")) << name;
    options.columns.ignored = {name};
    EXPECT_TRUE(run(options).has_value()) << name;
  }
  for (const auto& [name, column] : std::vector<std::pair<std::string, Column>>{
           {"price", numbers({1, 2})}, {"past", numbers({1, 2})}, {"comment", strings({"a b", "c"})}})
    EXPECT_TRUE(run(files.options("parquet", {write(files, {{"user", users}, {"item", items}, {name, column}})})));
}

TEST(ParquetImport, AFileWithoutRowsIsNamed) {
  TestFiles files;
  EXPECT_THAT(run(files.options("parquet", {write(files, {{"user", strings({})}, {"item", strings({})}})})).error()
                  .message, HasSubstr("e.parquet: no rows"));
}

TEST(ParquetImport, LowRatingsAreDroppedOnRequest) {
  TestFiles files;
  const auto path = write(files, {{"user", strings({"u", "u", "u"})}, {"item", strings({"a", "b", "c"})},
                                  {"rating", numbers({5, std::nullopt, 3})}});
  Options options = files.options("parquet", {path});
  options.min_rating = 4;
  EXPECT_EQ(run(options).value().low_ratings, 2u);
  EXPECT_EQ(run(options).value().interactions, 1u);
}

}  // namespace
}  // namespace dyad::importer
