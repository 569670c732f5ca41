// Parquet by Arrow: with parquet_columns the only files of the import that see Arrow's headers. Read batch by batch:
// memory does not grow with the file beyond what the Intake keeps.
#include <algorithm>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include "common/base/printable.h"
#include "tools/prepare/import/formats.h"
#include "tools/prepare/import/input_files.h"
#include "tools/prepare/import/parquet_columns.h"
#include "tools/prepare/import/unread_columns.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;

Error from_arrow(const fs::path& path, const arrow::Status& status) {
  return fail(Code::kInvalid, "{}: {}", path.string(), printable(status.ToString(), 400));
}

// A file's place is "FILE: row 12, column 'time'" (rows from 1).
Error refuse_cell(const fs::path& path, std::int64_t row, const std::string& column, const std::string& what) {
  return fail(Code::kInvalid, "{}: row {}, column '{}': {}", path.string(), row, printable(column),
              printable(what, 400));
}

std::string text_of(const arrow::Array& column, std::int64_t row) {
  const auto cell = column.GetScalar(row);
  return cell.ok() ? (*cell)->ToString() : cell.status().ToString();
}

bool is_list(const arrow::Field& field) {
  const auto id = field.type()->id();
  return id == arrow::Type::LIST || id == arrow::Type::LARGE_LIST || id == arrow::Type::FIXED_SIZE_LIST;
}

// For unread_columns.h: what an unread column is.
Holds what_holds(const arrow::Field& field) {
  const arrow::DataType* type = field.type().get();
  if (type->id() == arrow::Type::DICTIONARY) type = static_cast<const arrow::DictionaryType&>(*type).value_type().get();
  if (is_list(field)) return type->field(0)->type()->num_fields() == 0 ? Holds::kLists : Holds::kNested;
  if (type->num_fields() > 0) return Holds::kNested;
  return arrow::is_base_binary_like(type->id()) || arrow::is_binary_view_like(type->id()) ? Holds::kText
                                                                                         : Holds::kNumbers;
}
// A struct is a history by the name of a list in it, too.
bool is_suspect(const arrow::Field& field) {
  if (may_be_history(field.name(), what_holds(field))) return true;
  if (field.type()->id() != arrow::Type::STRUCT) return false;
  return std::ranges::any_of(field.type()->fields(), [](const auto& inner) {
    return is_list(*inner) && may_be_history(inner->name(), Holds::kText);
  });
}

// A column that is read; name is empty where the file has none for the role.
struct Wanted {
  std::string name;
  bool is_uuid = false;
  explicit operator bool() const { return !name.empty(); }
};

// Which of a file's columns are what to us, and the numbers of their leaves: a nested column is several leaves, and may
// stand before ours.
class Schema {
 public:
  Schema(const fs::path& path, const arrow::Schema& schema, parquet::arrow::FileReader& reader)
      : path_(path), schema_(schema), reader_(reader) {}
  Wanted user, item, time, rating, history, history_times;
  std::vector<int> leaves;
  std::vector<std::string> unused;

  Status choose(const Options& options) {
    const Columns& given = options.columns;
    std::string item_name = named(given.item, "item");
    if (given.item.empty() && !has(item_name) && has(options.item_columns.key)) item_name = options.item_columns.key;
    else { DYAD_TRYV(check_items_are_there(options.item_columns, !options.items.empty(), true)); }
    DYAD_TRYV(take(user, named(given.user, "user"), true, "--user-column"));
    const std::string list = named(given.history, (item_name + "_list").c_str());
    const bool item_is_list = has(item_name) && is_list(*schema_.GetFieldByName(item_name));
    if (item_is_list) { DYAD_TRYV(take_list(history, item_name, "keys (--history-column)")); }
    else if (!given.history.empty() || (has(list) && !is_ignored(given, list))) {
      DYAD_TRYV(take_list(history, list, "keys (--history-column)"));
    }
    if (!item_is_list) {
      DYAD_TRYV(take(item, item_name, !history || !given.item.empty(), "--item-column"));
    }
    DYAD_TRYV(take_times(given));
    if (options.min_rating) { DYAD_TRYV(take(rating, named(given.rating, "rating"), true, "--rating-column")); }
    if (rating && history)
      return fail(Code::kInvalid, "{}: --min-rating and histories ('{}'): a history has no ratings", path_.string(),
                  printable(history.name));
    return look_at_unused(given);
  }

 private:
  bool has(const std::string& name) const { return schema_.GetFieldIndex(name) >= 0; }

  Status take(Wanted& into, const std::string& name, bool required, const char* option) {
    if (!has(name) && !required && schema_.GetAllFieldIndices(name).empty()) return ok();
    if (!has(name))
      return fail(Code::kInvalid, "{}: no column '{}' (or it comes twice); it has {}; {} names another",
                  path_.string(), printable(name), names(), option);
    const auto& field = reader_.manifest().schema_fields[static_cast<std::size_t>(schema_.GetFieldIndex(name))];
    if (!field.is_leaf())
      return fail(Code::kInvalid, "{}: column '{}' is nested ({}); a flat one is needed", path_.string(),
                  printable(name), field.field->type()->ToString());
    add_leaf(into, name, field);
    return ok();
  }
  // A history's times are a list beside it: `time_list`, or `time` itself. Without a history neither is taken.
  Status take_times(const Columns& given) {
    const std::string name = named(given.time, "time"), list = name + "_list";
    const auto is_times = [&](const std::string& column) {
      return history && has(column) && !is_ignored(given, column) && is_list(*schema_.GetFieldByName(column));
    };
    if (is_times(name)) return take_list(history_times, name, "times (--time-column)");
    if (is_times(list)) { DYAD_TRYV(take_list(history_times, list, "times")); }
    if (is_ignored(given, name)) return ok();
    DYAD_TRYV(take(time, name, !given.time.empty() && !history_times, "--time-column"));
    if (item || !time) return ok();
    return fail(Code::kInvalid, "{}: column '{}' has one time a row, whose items are those of '{}'; write a list of "
                "times, or leave it out with --ignore-column {}", path_.string(), printable(name),
                printable(history.name), printable(name));
  }
  Status take_list(Wanted& into, const std::string& name, const char* what) {
    const auto at = schema_.GetFieldIndex(name);
    const auto* field = at < 0 ? nullptr : &reader_.manifest().schema_fields[static_cast<std::size_t>(at)];
    if (field == nullptr || !is_list(*schema_.field(at)) || field->children.empty() || !field->children[0].is_leaf())
      return fail(Code::kInvalid, "{}: no column '{}' of lists of {}; it has {}", path_.string(),
                  printable(name), what, names());
    add_leaf(into, name, field->children[0]);
    return ok();
  }
  void add_leaf(Wanted& into, const std::string& name, const parquet::arrow::SchemaField& leaf) {
    leaves.push_back(leaf.column_index);
    into = {name, holds_uuids(reader_, leaf.column_index)};
  }

  Status look_at_unused(const Columns& given) {
    for (const auto& field : schema_.fields()) {
      const std::string& name = field->name();
      bool read = is_ignored(given, name);
      for (const Wanted* wanted : {&user, &item, &time, &rating, &history, &history_times})
        read = read || wanted->name == name;
      if (read) continue;
      if (is_suspect(*field))
        return fail(Code::kInvalid, "{}: {}", path_.string(), unread_history(name, what_holds(*field)));
      if (!time && !history_times && arrow::is_temporal(field->type()->id()))
        return fail(Code::kInvalid, "{}: no column '{}', but '{}' holds times; name it with --time-column, or leave it "
                    "out with --ignore-column {}", path_.string(), printable(named(given.time, "time")),
                    printable(name), printable(name));
      unused.push_back(name);
    }
    if (time || history_times) return ok();
    return refuse_unread_times({&path_}, unused, named(given.time, "time"));
  }
  std::string names() const { return printable(fmt::format("{}", fmt::join(schema_.field_names(), ", ")), 400); }

  const fs::path& path_;
  const arrow::Schema& schema_;
  parquet::arrow::FileReader& reader_;
};

class ParquetFile {
 public:
  ParquetFile(const fs::path& path, const Options& options, Intake& intake)
      : path_(path), options_(options), intake_(intake) {}

  Status read() {
    auto opened = arrow::io::ReadableFile::Open(path_.string());
    if (!opened.ok()) return from_arrow(path_, opened.status());
    auto made = parquet::arrow::OpenFile(*opened, arrow::default_memory_pool());
    if (!made.ok()) return from_arrow(path_, made.status());
    parquet::arrow::FileReader& reader = **made;
    std::shared_ptr<arrow::Schema> types;
    if (const auto status = reader.GetSchema(&types); !status.ok()) return from_arrow(path_, status);
    Schema schema(path_, *types, reader);
    DYAD_TRYV(schema.choose(options_));
    intake_.not_used(path_, schema.unused);
    for (const std::string& name : types->field_names()) intake_.columns.insert(name);
    std::vector<int> groups(static_cast<std::size_t>(reader.num_row_groups()));
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
    auto batches = reader.GetRecordBatchReader(groups, schema.leaves);
    if (!batches.ok()) return from_arrow(path_, batches.status());
    Progress progress("read " + path_.filename().string(), static_cast<std::uint64_t>(
        reader.parquet_reader()->metadata()->num_rows()), "rows");
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      if (const auto status = (*batches)->ReadNext(&batch); !status.ok()) return from_arrow(path_, status);
      if (batch == nullptr) break;
      DYAD_TRYV(add(*batch, schema));
      progress.at(static_cast<std::uint64_t>(row_));
    }
    progress.finish();
    return ok();
  }

 private:
  // The columns of one batch; null where the file has none.
  struct Batch {
    std::shared_ptr<arrow::StringArray> users, items;
    std::shared_ptr<arrow::Array> clock;
    Times times;
    std::shared_ptr<arrow::DoubleArray> ratings;
    KeyLists histories;
    TimeLists history_times;
  };

  // Arrow's value, or the error naming the column and the batch's first row.
  template <class T> Status into(T& out, arrow::Result<T> result, const Wanted& column) const {
    if (!result.ok()) return refuse_cell(path_, row_ + 1, column.name, result.status().ToString());
    out = *std::move(result);
    return ok();
  }

  Status add(const arrow::RecordBatch& batch, const Schema& schema) {
    const auto column = [&](const Wanted& wanted) { return batch.GetColumnByName(wanted.name); };
    Batch b;
    DYAD_TRYV(into(b.users, keys_of(column(schema.user), schema.user.is_uuid), schema.user));
    if (schema.item) { DYAD_TRYV(into(b.items, keys_of(column(schema.item), schema.item.is_uuid), schema.item)); }
    if (schema.time) {
      b.clock = column(schema.time);
      DYAD_TRYV(into(b.times, Times::of(b.clock), schema.time));
    }
    if (schema.rating) { DYAD_TRYV(into(b.ratings, ratings_of(column(schema.rating)), schema.rating)); }
    if (schema.history) {
      DYAD_TRYV(into(b.histories, key_lists_of(column(schema.history), schema.history.is_uuid), schema.history));
    }
    if (schema.history_times) {
      DYAD_TRYV(into(b.history_times, time_lists_of(column(schema.history_times)), schema.history_times));
    }
    for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
      ++row_;
      ++intake_.rows_read;
      DYAD_TRYV(add_row(b, schema, i));
    }
    return ok();
  }

  Status add_row(const Batch& b, const Schema& schema, std::int64_t i) {
    const Place place{&path_, static_cast<std::uint64_t>(row_)};
    if (b.users->IsNull(i)) return refuse_cell(path_, row_, schema.user.name, "null");
    if (b.histories.lists != nullptr && !b.histories.lists->IsNull(i)) {
      DYAD_TRYV(add_history(b, schema, i, place));
    } else if (b.items == nullptr) {
      return refuse_cell(path_, row_, schema.history.name, "null");
    }
    if (b.items == nullptr) return ok();                     // the whole row is a history
    if (b.items->IsNull(i)) return refuse_cell(path_, row_, schema.item.name, "null");
    if (b.ratings != nullptr && (b.ratings->IsNull(i) || !(b.ratings->Value(i) >= *options_.min_rating))) {
      ++intake_.low_ratings;
      return ok();
    }
    const auto time = b.times.at(i);
    if (!time)
      return refuse_cell(path_, row_, schema.time.name, text_of(*b.clock, i) + " is no time in seconds since 1970");
    return intake_.add(b.users->GetView(i), b.items->GetView(i), *time, place);
  }

  Status add_history(const Batch& b, const Schema& schema, std::int64_t i, const Place& place) {
    items_.clear();
    for (auto at = b.histories.lists->value_offset(i); at < b.histories.lists->value_offset(i + 1); ++at) {
      if (b.histories.values->IsNull(at)) return refuse_cell(path_, row_, schema.history.name, "a null in the list");
      items_.push_back(b.histories.values->GetView(at));
    }
    DYAD_TRYV(take_times(b, schema, i));
    return intake_.add_history({b.users->GetView(i), items_, times_, b.items == nullptr}, place);
  }

  Status take_times(const Batch& b, const Schema& schema, std::int64_t i) {
    times_.clear();
    const auto& lists = b.history_times.lists;
    if (lists == nullptr || lists->IsNull(i)) return ok();   // unknown
    if (static_cast<std::size_t>(lists->value_length(i)) != items_.size())
      return refuse_cell(path_, row_, schema.history_times.name,
                         fmt::format("{} times, '{}' has {} items", lists->value_length(i), schema.history.name,
                                     items_.size()));
    for (auto at = lists->value_offset(i); at < lists->value_offset(i + 1); ++at) {
      const auto time = b.history_times.values.at(at);
      if (!time)
        return refuse_cell(path_, row_, schema.history_times.name,
                           text_of(*lists->values(), at) + " is no time in seconds since 1970");
      times_.push_back(*time);
    }
    return ok();
  }

  fs::path path_;
  const Options& options_;
  Intake& intake_;
  std::int64_t row_ = 0;
  std::vector<std::string_view> items_;
  std::vector<Time> times_;
};

}  // namespace

Status read_parquet(const Options& options, Intake& intake) {
  DYAD_TRYV(check_items_are_there(options.item_columns, !options.items.empty(), false));
  DYAD_TRY(files, input_files(options, {".parquet"}, intake));
  for (const fs::path& path : files) {
    DYAD_TRYV(ParquetFile(path, options, intake).read());
  }
  return options.items.empty() ? ok() : read_item_lines(options.items, options.item_columns, intake);
}

}  // namespace dyad::importer
