// Parquet by Arrow: the only file of the import that sees Arrow's headers. Read batch by batch: memory does not grow
// with the file beyond what the Intake keeps.
#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include "tools/import/formats.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;

Error from_arrow(const fs::path& path, const arrow::Status& status) {
  return fail(Code::kInvalid, "{}: {}", path.string(), status.ToString());
}

struct Columns {
  std::string user, item, time;
  bool time_given = false;
};

// A file's place is "FILE: row 12, column 'time'" (rows from 1).
Error refuse_cell(const fs::path& path, std::int64_t row, const std::string& column, const std::string& what) {
  return fail(Code::kInvalid, "{}: row {}, column '{}': {}", path.string(), row, column, what);
}

// A key column as strings: integers as their digits.
arrow::Result<std::shared_ptr<arrow::StringArray>> as_strings(const std::shared_ptr<arrow::Array>& column) {
  if (arrow::is_floating(column->type_id()))
    return arrow::Status::TypeError("keys are floating-point numbers; cast them");
  ARROW_ASSIGN_OR_RAISE(auto cast, arrow::compute::Cast(*column, arrow::utf8()));
  return std::static_pointer_cast<arrow::StringArray>(cast);
}

// A time column: timestamps of any unit, integers and floats as seconds, by the rules of the text formats (seconds() in
// lines.h). Arrow's own cast to whole seconds would make -1 ("unknown") of all that lies between -1 and -2.
class Times {
 public:
  static arrow::Result<Times> of(const std::shared_ptr<arrow::Array>& column) {
    Times out;
    if (column->type_id() == arrow::Type::TIMESTAMP) {
      out.per_second_ = units_of(static_cast<const arrow::TimestampType&>(*column->type()).unit());
      ARROW_ASSIGN_OR_RAISE(auto plain, column->View(arrow::int64()));
      out.whole_ = std::static_pointer_cast<arrow::Int64Array>(plain);
    } else if (arrow::is_integer(column->type_id())) {
      ARROW_ASSIGN_OR_RAISE(auto cast, arrow::compute::Cast(*column, arrow::int64()));
      out.whole_ = std::static_pointer_cast<arrow::Int64Array>(cast);
    } else if (arrow::is_floating(column->type_id())) {
      ARROW_ASSIGN_OR_RAISE(auto cast, arrow::compute::Cast(*column, arrow::float64()));
      out.real_ = std::static_pointer_cast<arrow::DoubleArray>(cast);
    } else {
      return arrow::Status::TypeError("times are of type ", column->type()->ToString(),
                                      "; timestamps and numbers are read");
    }
    return out;
  }
  // Nothing where the cell is no time.
  std::optional<std::int64_t> at(std::int64_t row) const {
    if (real_ != nullptr) return real_->IsNull(row) ? -1 : seconds(real_->Value(row));
    const std::int64_t value = whole_->IsNull(row) ? -per_second_ : whole_->Value(row);
    if (value >= 0) return value / per_second_;
    return value == -per_second_ ? std::optional<std::int64_t>(-1) : std::nullopt;
  }

 private:
  static std::int64_t units_of(arrow::TimeUnit::type unit) {
    switch (unit) {
      case arrow::TimeUnit::SECOND: return 1;
      case arrow::TimeUnit::MILLI: return 1'000;
      case arrow::TimeUnit::MICRO: return 1'000'000;
      case arrow::TimeUnit::NANO: return 1'000'000'000;
    }
    return 1;
  }

  std::shared_ptr<arrow::Int64Array> whole_;                 // one of the two
  std::shared_ptr<arrow::DoubleArray> real_;
  std::int64_t per_second_ = 1;                              // of whole_
};

std::string text_of(const arrow::Array& column, std::int64_t row) {
  const auto cell = column.GetScalar(row);
  return cell.ok() ? (*cell)->ToString() : cell.status().ToString();
}

class ParquetFile {
 public:
  ParquetFile(const fs::path& path, const Columns& columns, Intake& intake)
      : path_(path), columns_(columns), intake_(intake) {}

  Status read() {
    auto opened = arrow::io::ReadableFile::Open(path_.string());
    if (!opened.ok()) return from_arrow(path_, opened.status());
    auto made = parquet::arrow::OpenFile(*opened, arrow::default_memory_pool());
    if (!made.ok()) return from_arrow(path_, made.status());
    parquet::arrow::FileReader& reader = **made;
    std::shared_ptr<arrow::Schema> schema;
    if (const auto status = reader.GetSchema(&schema); !status.ok()) return from_arrow(path_, status);
    DYAD_TRY(wanted, wanted_columns(*schema, reader.manifest()));
    std::vector<int> groups(static_cast<std::size_t>(reader.num_row_groups()));
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
    auto batches = reader.GetRecordBatchReader(groups, wanted);
    if (!batches.ok()) return from_arrow(path_, batches.status());
    Progress progress("read " + path_.filename().string(), static_cast<std::uint64_t>(
        reader.parquet_reader()->metadata()->num_rows()), "rows");
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      if (const auto status = (*batches)->ReadNext(&batch); !status.ok()) return from_arrow(path_, status);
      if (batch == nullptr) break;
      DYAD_TRYV(add(*batch));
      progress.at(static_cast<std::uint64_t>(row_));
    }
    progress.finish();
    return ok();
  }

 private:
  // The numbers of our columns among the file's leaves: a nested column is several leaves, and may stand before ours.
  Result<std::vector<int>> wanted_columns(const arrow::Schema& schema,
                                          const parquet::arrow::SchemaManifest& manifest) const {
    std::vector<int> wanted;
    for (const std::string* name : {&columns_.user, &columns_.item, &columns_.time}) {
      const int at = schema.GetFieldIndex(*name);
      if (at < 0 && name == &columns_.time && !columns_.time_given) continue;
      if (at < 0)
        return fail(Code::kInvalid, "{}: no column '{}' (or it comes twice); it has {}", path_.string(), *name,
                    names_of(schema));
      const auto& field = manifest.schema_fields[static_cast<std::size_t>(at)];
      if (!field.is_leaf())
        return fail(Code::kInvalid, "{}: column '{}' is nested ({}); a flat one is needed", path_.string(), *name,
                    field.field->type()->ToString());
      wanted.push_back(field.column_index);
    }
    return wanted;
  }
  static std::string names_of(const arrow::Schema& schema) {
    std::string names;
    for (const auto& field : schema.fields()) names += (names.empty() ? "" : ", ") + field->name();
    return names;
  }

  Status add(const arrow::RecordBatch& batch) {
    auto users = as_strings(batch.GetColumnByName(columns_.user)),
         items = as_strings(batch.GetColumnByName(columns_.item));
    if (!users.ok()) return refuse_cell(path_, row_ + 1, columns_.user, users.status().ToString());
    if (!items.ok()) return refuse_cell(path_, row_ + 1, columns_.item, items.status().ToString());
    const auto clock = batch.GetColumnByName(columns_.time);
    arrow::Result<Times> times = clock == nullptr ? Times() : Times::of(clock);
    if (!times.ok()) return refuse_cell(path_, row_ + 1, columns_.time, times.status().ToString());
    for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
      ++row_;
      if ((*users)->IsNull(i)) return refuse_cell(path_, row_, columns_.user, "null");
      if ((*items)->IsNull(i)) return refuse_cell(path_, row_, columns_.item, "null");
      const auto time = clock == nullptr ? -1 : times->at(i);
      if (!time)
        return refuse_cell(path_, row_, columns_.time, text_of(*clock, i) + " is no time in seconds since 1970");
      const Status added =
          intake_.add((*users)->GetView(i), (*items)->GetView(i), *time, {&path_, static_cast<std::uint64_t>(row_)});
      if (!added.has_value()) return added;
    }
    return ok();
  }

  fs::path path_;
  Columns columns_;
  Intake& intake_;
  std::int64_t row_ = 0;
};

}  // namespace

Status read_parquet(const Options& options, Intake& intake) {
  const auto named = [](const std::string& given, const char* otherwise) { return given.empty() ? otherwise : given; };
  const Columns columns{named(options.user_column, "user"), named(options.item_column, "item"),
                        named(options.time_column, "time"), !options.time_column.empty()};
  for (const fs::path& path : options.paths) {
    DYAD_TRYV(ParquetFile(path, columns, intake).read());
  }
  return options.items.empty() ? ok() : read_item_lines(options.items, intake);
}

}  // namespace dyad::importer
