#include "tools/prepare/import/import.h"

#include <algorithm>
#include <fmt/ranges.h>
#include "common/base/clock.h"
#include "common/base/printable.h"
#include "common/data/dataset_writer.h"
#include "common/io/files.h"
#include "tools/prepare/import/formats.h"
#include "tools/prepare/import/k_core.h"
#include "tools/prepare/import/order.h"

namespace dyad::importer {
namespace {

constexpr std::uint32_t kGone = UINT32_MAX;
constexpr std::int64_t kYear3000 = 32'503'680'000;           // later: milliseconds, most likely

Status read_all(const Options& options, Intake& intake) {
  if (options.paths.empty()) return fail(Code::kInvalid, "import: no input given");
  if (options.format == "recbole") return read_recbole(options, intake);
  if (options.format == "s3rec") return read_s3rec(options, intake);
  if (options.format == "jsonl") return read_jsonl(options, intake);
  if (options.format == "parquet") return read_parquet(options, intake);
  return fail(Code::kInvalid, "import: format '{}' is not read; recbole, s3rec, jsonl and parquet are",
              printable(options.format));
}

// Old number -> new number; those that leave are kGone.
struct Numbers {
  std::vector<std::uint32_t> user, item;
};
Numbers number_those_that_stay(const Intake& intake, bool keep_items) {
  std::vector<bool> users(intake.users.size()), items(intake.items.size(), keep_items);
  for (const Row& row : intake.rows) {
    users[row.user] = true;
    items[row.item] = true;
  }
  Numbers out{std::vector<std::uint32_t>(users.size(), kGone), std::vector<std::uint32_t>(items.size(), kGone)};
  std::uint32_t next = 0;
  for (std::size_t u = 0; u < users.size(); ++u) if (users[u]) out.user[u] = next++;
  next = 0;
  for (const std::string& key : intake.described_order)      // the catalogue is in the order of the file of items
    if (const auto i = intake.items.find(key); i && items[*i]) out.item[*i] = next++;
  for (std::size_t i = 0; i < items.size(); ++i) if (items[i] && out.item[i] == kGone) out.item[i] = next++;
  return out;
}

std::vector<data::Item> catalogue_of(Intake& intake, const std::vector<std::uint32_t>& number, Report& report) {
  std::vector<data::Item> catalogue(number.size() -
                                    static_cast<std::size_t>(std::count(number.begin(), number.end(), kGone)));
  for (std::uint32_t i = 0; i < number.size(); ++i) {
    if (number[i] == kGone) continue;
    data::Item& item = catalogue[number[i]];
    const auto known = intake.described.find(intake.items.key(i));
    const bool described = known != intake.described.end();
    item = described ? std::move(known->second) : data::Item{intake.items.key(i)};
    if (item.title.empty() && item.brand.empty() && item.categories.empty()) ++report.undescribed_items;
    if (described) intake.described.erase(known);
  }
  report.unused_items = intake.described.size();
  return catalogue;
}

std::vector<std::string> user_keys(const Intake& intake, const std::vector<std::uint32_t>& number) {
  std::vector<std::string> keys;
  for (std::uint32_t u = 0; u < number.size(); ++u) if (number[u] != kGone) keys.push_back(intake.users.key(u));
  return keys;
}

// Brings the rows into their order and drops those that the options leave out.
Status arrange(const Options& options, Intake& intake, Report& report) {
  std::vector<Row>& rows = intake.rows;
  order_by_time(rows);
  report.repeated = repeated_rows(rows, options.distinct);
  if (options.shuffle_ties) shuffle_ties(rows, intake.users, intake.items, *options.shuffle_ties);
  const KCoreDropped dropped =
      k_core(rows, {intake.users.size(), intake.items.size(), options.k_core, options.k_core_pairs});
  report.dropped_users_rare = dropped.by_user;
  report.dropped_items_rare = dropped.by_item;
  report.k_core_rounds = dropped.rounds;
  if (!rows.empty()) return ok();
  if (report.low_ratings > 0 && dropped.by_user == 0)
    return fail(Code::kInvalid, "import: no interaction is left of {}, the ratings are below {}; lower --min-rating",
                report.rows, *options.min_rating);
  return fail(Code::kInvalid, "import: no interaction is left of {}; lower --k-core", report.rows);
}

// What the split, which nobody asks for at import, will make of the users (common/data/dataset.h).
void count_split(const Intake& intake, Report& report) {
  std::vector<std::uint32_t> events(intake.users.size());
  for (const Row& row : intake.rows) ++events[row.user];
  for (const std::uint32_t n : events) {
    report.users_training += n == 2 || n >= 4;
    report.users_evaluated += n >= 3;
  }
  const Ties ties = count_ties(intake.rows, intake.users.size());
  report.tied_rows = ties.rows;
  report.tied_last = ties.last;
  if (intake.split.any()) report.split_differs = intake.split.users_that_differ(intake.rows);
}

// --force would delete an input that lies in the folder to replace.
Status refuse_inputs_within_out(const Options& options) {
  std::error_code error;
  const std::filesystem::path out = std::filesystem::canonical(options.out, error);
  if (error) return ok();                                    // not there yet
  std::vector<std::filesystem::path> inputs = options.paths;
  if (!options.items.empty()) inputs.push_back(options.items);
  for (const std::filesystem::path& input : inputs) {
    const std::filesystem::path real = std::filesystem::canonical(input, error);
    if (error || std::mismatch(out.begin(), out.end(), real.begin(), real.end()).first != out.end()) continue;
    return fail(Code::kInvalid, "{}: an input, and it lies in {}, the folder to write; choose another --out",
                input.string(), options.out.string());
  }
  return ok();
}

// What the command line alone shows to be wrong, before anything is read.
Status check(const Options& options) {
  if (options.partitions == 0 || options.partitions > 10'000)
    return fail(Code::kInvalid, "import: --partitions is 1 to 10000");
  if (!options.columns.rating.empty() && !options.min_rating && options.format != "s3rec")
    return fail(Code::kInvalid, "import: --rating-column does nothing without --min-rating");
  const Columns& given = options.columns;
  for (const std::string& name : given.ignored)
    for (const std::string& read : {given.user, given.item, given.time, given.rating, given.history})
      if (name == read)
        return fail(Code::kInvalid, "import: --ignore-column {}: another option names that column", printable(name));
  if (options.items.empty()) return ok();
  DYAD_TRY(is_folder, io::is_folder(options.items));
  if (!is_folder) return ok();
  return fail(Code::kInvalid, "{}: a folder; --items is the file that describes the items", options.items.string());
}

// An option that does nothing is a mistake that nobody sees.
Status check_ignored(const Columns& given, const Intake& intake) {
  for (const std::string& name : given.ignored) {
    if (!intake.columns.contains(name))
      return fail(Code::kInvalid, "import: --ignore-column {}: no file has that column; they have {}", printable(name),
                  printable(fmt::format("{}", fmt::join(intake.columns, ", ")), 400));
  }
  return ok();
}

Status check_rows(const Options& options, const Intake& intake) {
  if (intake.rows_read > 0) return ok();
  std::vector<std::string> names;
  for (const std::filesystem::path& path : options.paths) names.push_back(path.string());
  return fail(Code::kInvalid, "{}: no rows", fmt::join(names, ", "));
}

Report report_of_reading(const Intake& intake) {
  Report report;
  report.rows = intake.rows_read;
  report.from_histories = intake.from_histories;
  report.out_of_order = intake.out_of_order;
  report.unknown_times = intake.unknown_times;
  report.low_ratings = intake.low_ratings;
  report.unused = intake.unused;
  report.described_items = intake.described.size();
  for (const Row& row : intake.rows) report.far_times += row.time_s() >= kYear3000;
  return report;
}

}  // namespace

Status check_items_are_there(const ItemColumns& given, bool there, bool key) {
  const char* option = key && !given.key.empty()   ? "--item-key"
                       : !given.title.empty()      ? "--title-key"
                       : !given.brand.empty()      ? "--brand-key"
                       : !given.categories.empty() ? "--categories-key"
                                                   : nullptr;
  if (there || option == nullptr) return ok();
  return fail(Code::kInvalid, "import: {} names a field of the items, but no file describes them", option);
}

Result<Report> run(const Options& options) {
  const double start = steady_now_s();
  data::DatasetWriterOptions writing;
  writing.log.partitions = options.partitions;
  writing.force = options.force;
  DYAD_TRYV(check(options));
  DYAD_TRYV(refuse_inputs_within_out(options));
  DYAD_TRY(writer, data::DatasetWriter::create(options.out, writing));   // first: a folder in the way is said at once
  Intake intake(options.require_order || options.format == "s3rec");
  DYAD_TRYV(read_all(options, intake));
  DYAD_TRYV(check_rows(options, intake));
  DYAD_TRYV(check_ignored(options.columns, intake));
  if (intake.all_items) for (const std::string& key : intake.described_order) (void)intake.items.id_of(key);
  Report report = report_of_reading(intake);
  DYAD_TRYV(arrange(options, intake, report));
  count_split(intake, report);
  const Numbers numbers = number_those_that_stay(intake, intake.all_items && options.k_core <= 1);
  Progress progress("write", intake.rows.size(), "interactions");
  for (const Row& row : intake.rows) {
    DYAD_TRYV(writer.append({UserId{numbers.user[row.user]}, ItemId{numbers.item[row.item]}, row.time_s()}));
    if (++report.interactions % 4096 == 0) progress.at(report.interactions);
  }
  progress.finish();
  const std::vector<data::Item> items = catalogue_of(intake, numbers.item, report);
  const std::vector<std::string> users = user_keys(intake, numbers.user);
  DYAD_TRYV(writer.finish(items, users));
  report.users = users.size();
  report.items = items.size();
  report.seconds = steady_now_s() - start;
  return report;
}

}  // namespace dyad::importer
