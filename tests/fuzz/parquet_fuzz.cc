// Parquet files (tools/prepare/import/formats.h). Arrow itself is not instrumented: the fuzzer sees what we do
// with it.
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include "tests/fuzz/import_with.h"

namespace dyad::fuzz {
namespace {

template <class Builder, class T> std::shared_ptr<arrow::Array> column(const std::vector<T>& values) {
  Builder builder;
  CHECK(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

}  // namespace

std::vector<std::string> seeds() {
  const auto users = column<arrow::StringBuilder>(std::vector<std::string>{"u", "v", "u"});
  const auto items = column<arrow::Int64Builder>(std::vector<std::int64_t>{7, 8, 9});
  const auto times = column<arrow::DoubleBuilder>(std::vector<double>{1.5, 2, 3});
  const auto schema = arrow::schema(
      {arrow::field("user", users->type()), arrow::field("item", items->type()), arrow::field("time", times->type())});
  const auto out = arrow::io::FileOutputStream::Open((folder() / "seed").string()).ValueOrDie();
  const auto table = arrow::Table::Make(schema, {users, items, times});
  CHECK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 2).ok());
  CHECK(out->Close().ok());
  return {bytes_of(folder() / "seed")};
}

void decode(std::string_view bytes) { import_with("parquet", importer::read_parquet, {put("x.parquet", bytes)}); }

}  // namespace dyad::fuzz
