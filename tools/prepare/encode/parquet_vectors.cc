#include "tools/prepare/encode/parquet_vectors.h"
#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/ranges.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include "tools/prepare/encode/item_keys.h"
#include "tools/prepare/import/parquet_columns.h"

namespace dyad::encode {
namespace {

namespace fs = std::filesystem;

Error from_arrow(const fs::path& file, const arrow::Status& status) {
  return fail(Code::kInvalid, "{}: {}", file.string(), status.ToString());
}

bool is_list(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}
bool is_vector(const arrow::DataType& type) { return is_list(type) && arrow::is_floating(type.field(0)->type()->id()); }

Result<std::string> vector_column(const arrow::Schema& schema, const std::string& wanted, const std::string& file) {
  std::vector<std::string> all, vectors;
  for (const auto& field : schema.fields()) {
    all.push_back(fmt::format("{} ({})", field->name(), field->type()->ToString()));
    if (is_vector(*field->type()) && (wanted.empty() || field->name() == wanted)) vectors.push_back(field->name());
  }
  if (vectors.size() == 1) return vectors[0];
  return fail(Code::kInvalid, "{}: {} columns of lists of floats{}{}; it has {}", file, vectors.size(),
              wanted.empty() ? "" : " are called " + wanted, wanted.empty() ? "; name one by --tensor" : "",
              fmt::join(all, ", "));
}

// As `dyad import` reads keys: what the catalogue has must be found.
Status add_keys(const std::shared_ptr<arrow::Array>& column, bool is_uuid, const std::string& where,
                std::vector<std::string>& out) {
  const auto keys = importer::keys_of(column, is_uuid);
  if (!keys.ok()) return fail(Code::kInvalid, "{}: {}", where, keys.status().ToString());
  for (std::int64_t i = 0; i < (*keys)->length(); ++i) {
    if ((*keys)->IsNull(i)) return fail(Code::kInvalid, "{}: row {}: null", where, out.size() + 1);
    out.emplace_back((*keys)->GetView(i));
  }
  return ok();
}

// One list of the column as an array of floats.
std::shared_ptr<arrow::Array> list_at(const arrow::Array& column, std::int64_t i) {
  switch (column.type_id()) {
    case arrow::Type::LIST: return static_cast<const arrow::ListArray&>(column).value_slice(i);
    case arrow::Type::LARGE_LIST: return static_cast<const arrow::LargeListArray&>(column).value_slice(i);
    default: return static_cast<const arrow::FixedSizeListArray&>(column).value_slice(i);
  }
}

Status add_rows(const arrow::Array& column, const std::string& where, io::Matrix& out) {
  for (std::int64_t i = 0; i < column.length(); ++i, ++out.rows) {
    if (column.IsNull(i)) return fail(Code::kInvalid, "{}: row {}: null", where, out.rows + 1);
    const auto list = list_at(column, i);
    const auto cast = arrow::compute::Cast(*list, arrow::float32());
    if (!cast.ok()) return fail(Code::kInvalid, "{}: row {}: {}", where, out.rows + 1, cast.status().ToString());
    const auto& floats = static_cast<const arrow::FloatArray&>(**cast);
    if (out.rows == 0) out.cols = static_cast<std::size_t>(floats.length());
    if (static_cast<std::size_t>(floats.length()) != out.cols || floats.null_count() > 0)
      return fail(Code::kInvalid, "{}: row {} holds {} numbers, {} of them null; the first row holds {}", where,
                  out.rows + 1, floats.length(), floats.null_count(), out.cols);
    out.values.insert(out.values.end(), floats.raw_values(), floats.raw_values() + floats.length());
  }
  return ok();
}

}  // namespace

Result<KeyedVectors> read_parquet_vectors(const fs::path& file, const std::string& key, const std::string& vector) {
  std::error_code none;
  if (!fs::exists(file, none)) return fail(Code::kNotFound, "{}: no such file", file.string());
  auto opened = arrow::io::ReadableFile::Open(file.string());
  if (!opened.ok()) return from_arrow(file, opened.status());
  auto made = parquet::arrow::OpenFile(*opened, arrow::default_memory_pool());
  if (!made.ok()) return from_arrow(file, made.status());
  std::shared_ptr<arrow::Schema> schema;
  if (const auto status = (*made)->GetSchema(&schema); !status.ok()) return from_arrow(file, status);
  std::vector<std::string> flat;
  for (const auto& field : schema->fields())
    if (!arrow::is_nested(field->type()->id())) flat.push_back(field->name());
  DYAD_TRY(keys, key_field(flat, key, file.string()));
  DYAD_TRY(vectors, vector_column(*schema, vector, file.string()));
  const auto place = static_cast<std::size_t>(schema->GetFieldIndex(keys));
  const bool is_uuid = importer::holds_uuids(**made, (*made)->manifest().schema_fields[place].column_index);
  KeyedVectors out;
  for (int group = 0; group < (*made)->num_row_groups(); ++group) {        // one by one: texts may stand beside
    const auto table = (*made)->ReadRowGroup(group);
    if (!table.ok()) return from_arrow(file, table.status());
    for (const auto& chunk : (*table)->GetColumnByName(keys)->chunks()) {
      DYAD_TRYV(add_keys(chunk, is_uuid, fmt::format("{}: column '{}'", file.string(), keys), out.keys));
    }
    for (const auto& chunk : (*table)->GetColumnByName(vectors)->chunks()) {
      DYAD_TRYV(add_rows(*chunk, fmt::format("{}: column '{}'", file.string(), vectors), out.rows));
    }
  }
  return out;
}

}  // namespace dyad::encode
