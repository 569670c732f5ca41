// Vectors from elsewhere: whose row is whose.
#include "tools/prepare/encode/import_vectors.h"
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/data/item_files.h"
#include "common/data/test_dataset.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"
#include "tools/prepare/import/gzip_for_test.h"

namespace dyad::encode {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ImportVectors : public testing::Test {
 protected:
  std::filesystem::path put(const std::string& name, const std::string& text) {
    CHECK(io::write_file_atomic(folder_ / name, text).has_value());
    return folder_ / name;
  }
  // Row i is {i, 10 i}.
  std::filesystem::path safetensors(std::size_t rows, const std::string& name = "v.safetensors") {
    std::vector<float> values;
    for (std::size_t i = 0; i < rows; ++i) values.insert(values.end(), {float(i), 10 * float(i)});
    CHECK(io::write_safetensors(folder_ / name, {{"e", io::make_tensor<float>({rows, 2}, values)}}).has_value());
    return folder_ / name;
  }
  Result<ImportedVectors> import(const ImportOptions& options) { return import_vectors(dataset_, options); }
  std::string error(const ImportOptions& options) {
    const auto read = import(options);
    EXPECT_FALSE(read.has_value());
    if (read) return "";
    EXPECT_EQ(read.error().code, Code::kInvalid) << read.error().message;
    return read.error().message;
  }
  io::TempFolder folder_;
  data::Dataset dataset_ = data::dataset_of(folder_ / "d", {"a", "b", "c"});
};

// Vectors in the order of items.jsonl beside a catalogue in another gave every item another's text, exit 0.
TEST_F(ImportVectors, ACountThatFitsIsNoProof) {
  EXPECT_THAT(error({.file = safetensors(3)}), HasSubstr("--keys FILE"));
  EXPECT_THAT(error({.file = safetensors(3)}), HasSubstr("--row-order catalogue"));
  EXPECT_THAT(import({.file = safetensors(3), .catalogue_order = true}).value().rows.values,
              ElementsAre(0, 0, 1, 10, 2, 20));
  EXPECT_THAT(error({.file = safetensors(4), .catalogue_order = true}), HasSubstr("4 rows for the 3 items"));
}

TEST_F(ImportVectors, RowsGoWhereTheirKeysSay) {
  for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
           {"k.txt", "c\na\nb\n"},
           {"k.bom", "\xef\xbb\xbf" "c\r\na\r\nb\r\n\r\n"},
           {"k.json", "[\"c\", \"a\", \"b\"]"},
           {"k.jsonl", "{\"title\": \"x\", \"item_id\": \"c\"}\n{\"item_id\": \"a\"}\n{\"item_id\": \"b\"}"},
           {"k.jsonl.gz", importer::gzip("{\"key\": \"c\"}\n{\"key\": \"a\"}\n{\"key\": \"b\"}\n")},
           {"bare.txt", "c\r\na\r\nb"},
           {"l.jsonl", "\"c\"\n\"a\"\n\"b\"\n"}}) {
    const auto read = import({.file = safetensors(3), .keys = put(name, text)});
    ASSERT_TRUE(read.has_value()) << name << ": " << read.error().message;
    EXPECT_THAT(read.value().rows.values, ElementsAre(1, 10, 2, 20, 0, 0)) << name;
  }
  const auto named = put("m.jsonl", "{\"sku\": \"c\"}\n{\"sku\": \"a\"}\n{\"sku\": \"b\"}\n");
  EXPECT_THAT(error({.file = safetensors(3), .keys = named}), HasSubstr("it has sku"));
  EXPECT_THAT(import({.file = safetensors(3), .keys = named, .key_column = "sku"}).value().rows.values,
              ElementsAre(1, 10, 2, 20, 0, 0));
}

TEST_F(ImportVectors, KeysOfNoItemAreCountedAndItemsWithoutARowAreNamed) {
  const auto read = import({.file = safetensors(5), .keys = put("k.txt", "x\nc\na\ny\nb\n")}).value();
  EXPECT_THAT(read.left_out, ElementsAre("x", "y"));
  EXPECT_THAT(read.rows.values, ElementsAre(2, 20, 4, 40, 1, 10));
  EXPECT_THAT(
      error({.file = safetensors(3), .keys = put("k.txt", "x\nc\na\n")}),
      AllOf(HasSubstr("1 of the 3 items"), HasSubstr("(b)"), HasSubstr("1 rows are of keys"), HasSubstr("(x)")));
}

TEST_F(ImportVectors, KeysThatCannotBeTheRowsAreRefused) {
  const auto with = [&](const std::string& name, const std::string& text, std::size_t rows = 3) {
    return error({.file = safetensors(rows), .keys = put(name, text)});
  };
  EXPECT_THAT(with("k.txt", "a\nb\na\nc\n", 4), HasSubstr("k.txt: rows 1 and 3 are both of 'a'"));
  EXPECT_THAT(with("k.txt", "a\nb\n"), HasSubstr("has 2 keys"));
  EXPECT_THAT(with("k.txt", "a\n\nb\nc\n"), HasSubstr("k.txt:2: an empty line"));
  EXPECT_THAT(with("k.jsonl", "{\"key\": \"a\"}\n{\"key\": null}\n"), HasSubstr("k.jsonl:2: 'key': null is no key"));
  EXPECT_THAT(with("k.jsonl", "{\"key\": \"a\"}\n{\"kee\": 1}\n"), HasSubstr("k.jsonl:2: no 'key'"));
  EXPECT_THAT(with("k.jsonl", "{\"id\": \"a\", \"asin\": 1}\n"), HasSubstr("could all be the key"));
  EXPECT_THAT(with("k.jsonl", "a\n"), HasSubstr("k.jsonl:1: not JSON"));
  EXPECT_THAT(with("k.json", "[\"a\", 1.5]"), HasSubstr("entry 2: 1.5 is no key"));
  EXPECT_THAT(with("k.gz", "\x1f\x8b"), HasSubstr("a gzip file that ends"));
  EXPECT_THAT(with("k.txt", std::string("\xff\xfe" "a\0\n\0", 6)), HasSubstr("UTF-16"));
  EXPECT_EQ(import({.file = safetensors(3), .keys = folder_ / "none"}).error().code, Code::kNotFound);
  EXPECT_THAT(error({.file = put("v.csv", "1,2")}), HasSubstr("neither"));
}

// They were taken, and did nothing.
TEST_F(ImportVectors, OptionsThatWouldDoNothingAreRefused) {
  const auto text = put("k.txt", "c\na\nb\n"), list = put("k.json", "[\"c\", \"a\", \"b\"]"),
             bare = put("l.jsonl", "\"c\"\n\"a\"\n\"b\"\n"), npy = put("v.npy", "");
  EXPECT_THAT(error({.file = npy, .tensor = "foo", .keys = text}), HasSubstr("--tensor foo"));
  for (const auto& keys : {text, list})
    EXPECT_THAT(error({.file = safetensors(3), .keys = keys, .key_column = "foo"}), HasSubstr("--item-column foo"));
  EXPECT_THAT(error({.file = safetensors(3), .keys = bare, .key_column = "foo"}),
              HasSubstr("l.jsonl:1: no object, so it has no field 'foo'"));
  EXPECT_THAT(error({.file = safetensors(3), .key_column = "foo", .catalogue_order = true}),
              HasSubstr("--item-column foo, but no keys are read"));
}

TEST_F(ImportVectors, FilesOfOursNoteWhoseRowsTheyAre) {
  const auto other = data::dataset_of(folder_ / "other", {"c", "b", "a"});
  const io::Matrix rows{3, 1, {1, 2, 3}};
  ASSERT_TRUE(data::write_vectors(folder_ / "v.safetensors", dataset_.keys_digest(), rows, "x").has_value());
  EXPECT_THAT(import({.file = folder_ / "v.safetensors"}).value().rows.values, ElementsAre(1, 2, 3));
  ASSERT_TRUE(data::write_vectors(folder_ / "v.safetensors", other.keys_digest(), rows, "x").has_value());
  EXPECT_THAT(error({.file = folder_ / "v.safetensors"}), HasSubstr("--keys FILE"));
}

class ParquetVectors : public ImportVectors {
 protected:
  std::shared_ptr<arrow::Array> texts(const std::vector<std::string>& values) {
    arrow::StringBuilder builder;
    for (const auto& value : values) CHECK(builder.Append(value).ok());
    return builder.Finish().ValueOrDie();
  }
  template <class Values> std::shared_ptr<arrow::Array> lists(const std::vector<std::vector<double>>& rows) {
    const auto values = std::make_shared<Values>();
    arrow::ListBuilder builder(arrow::default_memory_pool(), values);
    for (const auto& row : rows) {
      CHECK(builder.Append().ok());
      for (const double v : row) CHECK(values->Append(static_cast<typename Values::value_type>(v)).ok());
    }
    return builder.Finish().ValueOrDie();
  }
  std::filesystem::path write(const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const auto& [name, array] : columns)
      fields.push_back(arrow::field(name, array->type())), arrays.push_back(array);
    const auto path = folder_ / "v.parquet";
    const auto out = arrow::io::FileOutputStream::Open(path.string()).ValueOrDie();
    CHECK(parquet::arrow::WriteTable(*arrow::Table::Make(arrow::schema(fields), arrays), arrow::default_memory_pool(),
                                     out, 2)
              .ok());                                                         // row groups of two
    CHECK(out->Close().ok());
    return path;
  }
};

TEST_F(ParquetVectors, HoldTheirKeysThemselves) {
  const auto file = write({{"title", texts({"x", "y", "z", "w"})}, {"item_id", texts({"c", "b", "z", "a"})},
                           {"embedding", lists<arrow::DoubleBuilder>({{1, 2}, {3, 4}, {5, 6}, {7, 8}})}});
  const auto read = import({.file = file}).value();
  EXPECT_THAT(read.rows.values, ElementsAre(7, 8, 3, 4, 1, 2));
  EXPECT_THAT(read.left_out, ElementsAre("z"));
  EXPECT_THAT(error({.file = file, .catalogue_order = true}), HasSubstr("--item-column"));
  EXPECT_THAT(error({.file = file, .key_column = "sku"}), HasSubstr("no 'sku'"));
  EXPECT_THAT(error({.file = file, .tensor = "title"}), HasSubstr("0 columns of lists of floats are called title"));
  EXPECT_EQ(import({.file = folder_ / "none.parquet"}).error().code, Code::kNotFound);
}

// The two readers of keys took 16 bytes without a word for a UUID here and for hex there: no row met its item.
TEST_F(ParquetVectors, KeysAreReadAsTheImportReadsThem) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
  for (const char c : {'\x01', '\x02', '\xab'}) CHECK(builder.Append(std::string(16, c)).ok());
  const auto raw = builder.Finish().ValueOrDie();
  const auto uuid = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), raw);
  const auto times = [](const std::string& b, int n) { std::string out; for (; n > 0; --n) out += b; return out; };
  const auto uuid_of = [&](const std::string& b) {
    return times(b, 4) + "-" + times(b, 2) + "-" + times(b, 2) + "-" + times(b, 2) + "-" + times(b, 6);
  };
  const auto events = lists<arrow::FloatBuilder>({{1}, {2}, {3}});
  dataset_ = data::dataset_of(folder_ / "uuid", {uuid_of("ab"), uuid_of("02"), uuid_of("01")});
  EXPECT_THAT(import({.file = write({{"id", uuid}, {"v", events}})}).value().rows.values, ElementsAre(3, 2, 1));
  EXPECT_THAT(error({.file = write({{"id", raw}, {"v", events}})}), HasSubstr(times("01", 16)));
  dataset_ = data::dataset_of(folder_ / "hex", {times("ab", 16), times("02", 16), times("01", 16)});
  EXPECT_THAT(import({.file = write({{"id", raw}, {"v", events}})}).value().rows.values, ElementsAre(3, 2, 1));
  EXPECT_THAT(error({.file = write({{"id", events}, {"key", lists<arrow::FloatBuilder>({{1}, {2}, {3}})}})}),
              HasSubstr("none of"));
  const auto decimals = arrow::compute::Cast(*arrow::compute::Cast(*texts({"1.5", "2", "3"}), arrow::float64())
                                                  .ValueOrDie(), arrow::float32()).ValueOrDie();
  EXPECT_THAT(error({.file = write({{"id", decimals}, {"v", events}})}), HasSubstr("keys are of type float"));
}

TEST_F(ParquetVectors, ListsOfUnequalLengthAreRefusedByRow) {
  EXPECT_THAT(error({.file = write({{"key", texts({"a", "b", "c"})},
                                    {"v", lists<arrow::FloatBuilder>({{1, 2}, {3, 4}, {5}})}})}),
              HasSubstr("column 'v': row 3 holds 1 numbers"));
  EXPECT_THAT(error({.file = write({{"key", texts({"a", "b", "c"})},
                                    {"v", lists<arrow::Int32Builder>({{1, 2}, {3, 4}, {5, 6}})}})}),
              HasSubstr("0 columns of lists of floats"));
}

}  // namespace
}  // namespace dyad::encode
