#include "tools/import/import.h"

#include <algorithm>
#include "common/base/clock.h"
#include "common/data/dataset_writer.h"
#include "tools/import/formats.h"
#include "tools/import/k_core.h"

namespace dyad::importer {
namespace {

constexpr std::uint32_t kGone = UINT32_MAX;

Status read_all(const Options& options, Intake& intake) {
  if (options.paths.empty()) return fail(Code::kInvalid, "import: no input given");
  if (options.format == "recbole") return read_recbole(options, intake);
  if (options.format == "s3rec") return read_s3rec(options, intake);
  if (options.format == "jsonl") return read_jsonl(options, intake);
  if (options.format == "parquet") return read_parquet(options, intake);
  return fail(Code::kInvalid, "import: format '{}' is not read; recbole, s3rec, jsonl and parquet are", options.format);
}

// Old number -> new number, dense in the old order, of those that `used` names; the rest is kGone.
std::vector<std::uint32_t> renumber(const std::vector<bool>& used) {
  std::vector<std::uint32_t> out(used.size(), kGone);
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < used.size(); ++i) if (used[i]) out[i] = next++;
  return out;
}

struct Numbers {
  std::vector<std::uint32_t> user, item;
};
Numbers number_those_that_stay(const Intake& intake, bool keep_items) {
  std::vector<bool> users(intake.users.size()), items(intake.items.size(), keep_items);
  for (const Row& row : intake.rows) {
    users[row.user] = true;
    items[row.item] = true;
  }
  return {renumber(users), renumber(items)};
}

std::vector<data::Item> catalogue_of(Intake& intake, const std::vector<std::uint32_t>& number, Report& report) {
  std::vector<data::Item> catalogue;
  for (std::uint32_t i = 0; i < number.size(); ++i) {
    if (number[i] == kGone) continue;
    const auto known = intake.described.find(intake.items.key(i));
    const bool described = known != intake.described.end();
    catalogue.push_back(described ? std::move(known->second) : data::Item{intake.items.key(i)});
    const data::Item& item = catalogue.back();
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

// Time order over all users; rows of equal time stay as the files have them, so a user's rows are (time, place)
// ordered.
void order_by_time(std::vector<Row>& rows) {
  const auto earlier = [](const Row& a, const Row& b) { return a.sort_s < b.sort_s; };
  if (!std::is_sorted(rows.begin(), rows.end(), earlier)) std::stable_sort(rows.begin(), rows.end(), earlier);
}

}  // namespace

Result<Report> run(const Options& options) {
  const double start = steady_now_s();
  data::DatasetWriterOptions writing;
  writing.log.partitions = options.partitions;
  writing.force = options.force;
  if (options.partitions == 0 || options.partitions > 10'000)
    return fail(Code::kInvalid, "import: --partitions is 1 to 10000");
  DYAD_TRY(writer, data::DatasetWriter::create(options.out, writing));   // first: a folder in the way is said at once
  Intake intake(options.require_order || options.format == "s3rec");
  DYAD_TRYV(read_all(options, intake));
  Report report;
  report.rows = intake.rows.size();
  report.out_of_order = intake.out_of_order;
  report.unknown_times = intake.unknown_times;
  const KCoreDropped dropped = k_core(intake.rows, intake.users.size(), intake.items.size(), options.k_core);
  report.dropped_users_rare = dropped.by_user;
  report.dropped_items_rare = dropped.by_item;
  report.k_core_rounds = dropped.rounds;
  if (intake.rows.empty())
    return fail(Code::kInvalid, "import: no interaction is left of {}; lower --k-core", report.rows);
  order_by_time(intake.rows);
  const Numbers numbers = number_those_that_stay(intake, intake.all_items && options.k_core <= 1);
  Progress progress("write", intake.rows.size(), "interactions");
  for (const Row& row : intake.rows) {
    DYAD_TRYV(writer.append({UserId{numbers.user[row.user]}, ItemId{numbers.item[row.item]}, row.time_s}));
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
