#include "tools/prepare/import/parquet_columns.h"

#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <algorithm>
#include "common/base/utf8.h"

namespace dyad::importer {
namespace {

using Column = std::shared_ptr<arrow::Array>;

// What a dictionary or an extension type stands for.
arrow::Result<Column> plain(Column column) {
  for (;;) {
    if (column->type_id() == arrow::Type::DICTIONARY) {
      const auto& type = static_cast<const arrow::DictionaryType&>(*column->type());
      ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Cast(*column, type.value_type()));
    } else if (column->type_id() == arrow::Type::EXTENSION) {
      column = static_cast<const arrow::ExtensionArray&>(*column).storage();
    } else {
      return column;
    }
  }
}

template <class Array>
arrow::Result<std::shared_ptr<Array>> cast(const Column& column, std::shared_ptr<arrow::DataType> type) {
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::compute::Cast(*column, std::move(type)));
  return std::static_pointer_cast<Array>(out);
}

bool is_text(arrow::Type::type id) {
  return id == arrow::Type::STRING || id == arrow::Type::LARGE_STRING || id == arrow::Type::STRING_VIEW;
}
bool is_bytes(arrow::Type::type id) {
  return id == arrow::Type::BINARY || id == arrow::Type::LARGE_BINARY || id == arrow::Type::BINARY_VIEW;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}
std::string uuid(std::string_view bytes) {                   // 8-4-4-4-12
  std::string out = hex(bytes);
  for (const std::size_t at : {8, 13, 18, 23}) out.insert(at, "-");
  return out;
}

arrow::Result<std::shared_ptr<arrow::StringArray>> fixed_keys(const Column& column, bool is_uuid) {
  const auto& fixed = static_cast<const arrow::FixedSizeBinaryArray&>(*column);
  const bool canonical = is_uuid && fixed.byte_width() == 16;
  arrow::StringBuilder out;
  for (std::int64_t i = 0; i < fixed.length(); ++i) {
    if (fixed.IsNull(i)) ARROW_RETURN_NOT_OK(out.AppendNull());
    else ARROW_RETURN_NOT_OK(out.Append(canonical ? uuid(fixed.GetView(i)) : hex(fixed.GetView(i))));
  }
  ARROW_ASSIGN_OR_RAISE(auto keys, out.Finish());
  return std::static_pointer_cast<arrow::StringArray>(keys);
}

// Old writers do not say that their bytes are text.
arrow::Result<std::shared_ptr<arrow::StringArray>> text_keys(const Column& column) {
  ARROW_ASSIGN_OR_RAISE(auto bytes, cast<arrow::BinaryArray>(column, arrow::binary()));
  for (std::int64_t i = 0; i < bytes->length(); ++i) {
    const std::string_view value = bytes->IsNull(i) ? std::string_view() : bytes->GetView(i);
    const bool control = std::any_of(value.begin(), value.end(), [](char c) { return c >= 0 && c < 0x20; });
    if (control || utf8_prefix(value) != value.size())
      return arrow::Status::TypeError("a binary value is no text (hex ", hex(value.substr(0, 16)),
                                      "); write the column as strings, or in a binary type of fixed size");
  }
  return cast<arrow::StringArray>(bytes, arrow::utf8());
}

std::int64_t units_of(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND: return 1;
    case arrow::TimeUnit::MILLI: return 1'000;
    case arrow::TimeUnit::MICRO: return 1'000'000;
    case arrow::TimeUnit::NANO: return 1'000'000'000;
  }
  return 1;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::StringArray>> keys_of(const Column& given, bool is_uuid) {
  const bool extension_uuid = given->type_id() == arrow::Type::EXTENSION &&
      static_cast<const arrow::ExtensionType&>(*given->type()).extension_name() == "arrow.uuid";
  ARROW_ASSIGN_OR_RAISE(const Column column, plain(given));
  const arrow::Type::type id = column->type_id();
  if (id == arrow::Type::FIXED_SIZE_BINARY) return fixed_keys(column, is_uuid || extension_uuid);
  if (is_bytes(id)) return text_keys(column);
  const bool whole = arrow::is_integer(id) ||
      (arrow::is_decimal(id) && static_cast<const arrow::DecimalType&>(*column->type()).scale() == 0);
  if (is_text(id) || whole || id == arrow::Type::NA) return cast<arrow::StringArray>(column, arrow::utf8());
  return arrow::Status::TypeError(
      "keys are of type ", column->type()->ToString(),
      "; strings, whole numbers, UUIDs and binary values of fixed size are read: cast them");
}

bool holds_uuids(parquet::arrow::FileReader& reader, int leaf) {
  const auto logical = reader.parquet_reader()->metadata()->schema()->Column(leaf)->logical_type();
  return logical != nullptr && logical->is_UUID();
}

arrow::Result<KeyLists> key_lists_of(const Column& column, bool is_uuid) {
  const auto& type = static_cast<const arrow::BaseListType&>(*column->type());
  KeyLists out;
  ARROW_ASSIGN_OR_RAISE(out.lists, cast<arrow::ListArray>(column, arrow::list(type.value_type())));
  ARROW_ASSIGN_OR_RAISE(out.values, keys_of(out.lists->values(), is_uuid));
  return out;
}

arrow::Result<Times> Times::of(Column column) {
  Times out;
  ARROW_ASSIGN_OR_RAISE(column, plain(std::move(column)));
  if (column->type_id() == arrow::Type::DATE32 || column->type_id() == arrow::Type::DATE64) {
    ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Cast(*column, arrow::timestamp(arrow::TimeUnit::MILLI)));
  }
  const arrow::Type::type id = column->type_id();
  const bool fraction =
      arrow::is_decimal(id) && static_cast<const arrow::DecimalType&>(*column->type()).scale() != 0;
  if (id == arrow::Type::TIMESTAMP) {
    out.per_second_ = units_of(static_cast<const arrow::TimestampType&>(*column->type()).unit());
    ARROW_ASSIGN_OR_RAISE(auto numbers, column->View(arrow::int64()));
    out.whole_ = std::static_pointer_cast<arrow::Int64Array>(numbers);
  } else if (arrow::is_floating(id)) {
    ARROW_ASSIGN_OR_RAISE(out.real_, cast<arrow::DoubleArray>(column, arrow::float64()));
  } else if (arrow::is_integer(id) || (arrow::is_decimal(id) && !fraction)) {
    ARROW_ASSIGN_OR_RAISE(out.whole_, cast<arrow::Int64Array>(column, arrow::int64()));
  } else if (is_text(id) || fraction) {
    ARROW_ASSIGN_OR_RAISE(out.text_, cast<arrow::StringArray>(column, arrow::utf8()));
  } else if (id != arrow::Type::NA) {
    return arrow::Status::TypeError("times are of type ", column->type()->ToString(),
                                    "; timestamps, dates, numbers and strings are read");
  }
  return out;
}

std::optional<Time> Times::at(std::int64_t row) const {
  if (text_ != nullptr) return text_->IsNull(row) ? Time{} : parse_time(text_->GetView(row));
  if (real_ != nullptr) return real_->IsNull(row) ? Time{} : parse_time(real_->Value(row));
  if (whole_ == nullptr || whole_->IsNull(row)) return Time{};
  const std::int64_t value = whole_->Value(row);
  if (value < 0) return value == -per_second_ ? std::optional(Time{}) : std::nullopt;
  return Time{value / per_second_, static_cast<std::uint32_t>(value % per_second_ * (1'000'000'000 / per_second_))};
}

arrow::Result<TimeLists> time_lists_of(const Column& column) {
  const auto& type = static_cast<const arrow::BaseListType&>(*column->type());
  TimeLists out;
  ARROW_ASSIGN_OR_RAISE(out.lists, cast<arrow::ListArray>(column, arrow::list(type.value_type())));
  ARROW_ASSIGN_OR_RAISE(out.values, Times::of(out.lists->values()));
  return out;
}

arrow::Result<std::shared_ptr<arrow::DoubleArray>> ratings_of(const Column& given) {
  ARROW_ASSIGN_OR_RAISE(const Column column, plain(given));
  const arrow::Type::type id = column->type_id();
  if (!arrow::is_integer(id) && !arrow::is_floating(id) && !arrow::is_decimal(id) && id != arrow::Type::NA)
    return arrow::Status::TypeError("ratings are of type ", column->type()->ToString(), "; numbers are read");
  return cast<arrow::DoubleArray>(column, arrow::float64());
}

}  // namespace dyad::importer
