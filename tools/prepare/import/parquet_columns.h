#pragma once
// A column of a Parquet file as what we read it for: keys, times, ratings, lists of keys. Sees Arrow's headers.
// Threads: immutable after being made.
#include <arrow/array.h>
#include <memory>
#include <optional>
#include "tools/prepare/import/times.h"

namespace parquet::arrow {
class FileReader;
}

namespace dyad::importer {

// Strings and whole numbers (decimals without a fraction too) as they are, UUIDs in their canonical form, other binary
// values of fixed size as hex, binary values of any size if they are text. Fails for the rest: floating-point numbers,
// times, truth values. `is_uuid`: what the file says of a binary column beside Arrow's type (holds_uuids).
arrow::Result<std::shared_ptr<arrow::StringArray>> keys_of(const std::shared_ptr<arrow::Array>& column, bool is_uuid);
// `leaf`: the column's number among those that are not nested.
bool holds_uuids(parquet::arrow::FileReader& reader, int leaf);

// Lists of keys: those of row i are values[begin(i), end(i)).
struct KeyLists {
  std::shared_ptr<arrow::ListArray> lists;
  std::shared_ptr<arrow::StringArray> values;
};
arrow::Result<KeyLists> key_lists_of(const std::shared_ptr<arrow::Array>& column, bool is_uuid);

// Timestamps of any unit, dates, numbers and decimals as times since 1970, strings by the rules of the text formats
// (times.h). Arrow's own cast to whole seconds would make -1 ("unknown") of all that lies between -1 and -2.
class Times {
 public:
  static arrow::Result<Times> of(std::shared_ptr<arrow::Array> column);
  std::optional<Time> at(std::int64_t row) const;            // nothing where the cell is no time; null: unknown

 private:
  std::shared_ptr<arrow::Int64Array> whole_;                 // one of these, or none: all unknown
  std::shared_ptr<arrow::DoubleArray> real_;
  std::shared_ptr<arrow::StringArray> text_;                 // decimals with a fraction too
  std::int64_t per_second_ = 1;                              // of whole_
};

// Lists of times: those of row i are values.at(begin(i)) to values.at(end(i) - 1).
struct TimeLists {
  std::shared_ptr<arrow::ListArray> lists;
  Times values;
};
arrow::Result<TimeLists> time_lists_of(const std::shared_ptr<arrow::Array>& column);

arrow::Result<std::shared_ptr<arrow::DoubleArray>> ratings_of(const std::shared_ptr<arrow::Array>& column);

}  // namespace dyad::importer
