#include "common/ckpt/diff.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include "common/base/digest.h"
#include "common/ckpt/rows_file.h"
#include "common/io/safetensors.h"

namespace dyad::ckpt {

namespace fs = std::filesystem;

namespace {

double max_difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    most = std::isnan(d) ? std::numeric_limits<double>::infinity() : std::max(most, d);
  }
  return most;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::ranges::equal(std::as_bytes(a), std::as_bytes(b));
}

struct TableTally {
  std::uint64_t rows = 0, differ = 0, first_only = 0, second_only = 0;
  RowKey example;
  double max_abs = 0;
  void note(std::uint64_t& counter, RowKey key) {
    if (differ + first_only + second_only == 0) example = key;
    ++counter;
  }
};

std::vector<RowView> all_rows(const RowsFile& file) {
  std::vector<RowView> rows;
  rows.reserve(file.rows());
  file.for_each([&](const RowView& row) { rows.push_back(row); });
  return rows;
}

auto order(const RowView& row) { return std::tuple(row.bucket, row.table, row.key); }

Status diff_rows(const fs::path& first, const fs::path& second, const std::string& name, const Tables& tables,
                 DiffReport& report) {
  DYAD_TRY(a_file, RowsFile::open(first / name));
  DYAD_TRY(b_file, RowsFile::open(second / name));
  const auto a = all_rows(a_file), b = all_rows(b_file);
  std::array<TableTally, kTablesMax> tallies;
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const bool take_a = j == b.size() || (i < a.size() && order(a[i]) <= order(b[j]));
    const bool take_b = i == a.size() || (j < b.size() && order(b[j]) <= order(a[i]));
    const RowView& row = take_a ? a[i] : b[j];
    TableTally& tally = tallies[static_cast<std::size_t>(row.table)];
    ++tally.rows;
    if (take_a && take_b) {
      if (!same_bits(a[i].value, b[j].value) || !same_bits(a[i].slots, b[j].slots) || a[i].count != b[j].count)
        tally.note(tally.differ, row.key);
      tally.max_abs =
          std::max({tally.max_abs, max_difference(a[i].value, b[j].value), max_difference(a[i].slots, b[j].slots)});
    } else {
      tally.note(take_a ? tally.first_only : tally.second_only, row.key);
    }
    i += take_a, j += take_b;
  }
  const std::size_t before = report.differences.size();
  for (std::size_t t = 0; t < tallies.size(); ++t) {
    const TableTally& tally = tallies[t];
    if (tally.differ + tally.first_only + tally.second_only == 0) continue;
    report.differences.push_back(
        {fmt::format("{}: table {}", name, name_of(tables, static_cast<TableId>(t))),
         fmt::format("{} of {} rows differ, {} only in the first, {} only in the second; first at key {}", tally.differ,
                     tally.rows, tally.first_only, tally.second_only, tally.example),
         tally.max_abs});
  }
  if (report.differences.size() == before) report.differences.push_back({name, "the same rows, another header", 0});
  return ok();
}

Status diff_tensors(const fs::path& first, const fs::path& second, const std::string& name, DiffReport& report) {
  DYAD_TRY(a, io::Safetensors::open(first / name));
  DYAD_TRY(b, io::Safetensors::open(second / name));
  const std::size_t before = report.differences.size();
  for (const auto& [key, tensor] : a.tensors()) {
    const std::string where = name + ": " + key;
    const auto other = b.tensors().find(key);
    if (other == b.tensors().end()) {
      report.differences.push_back({where, "only in the first", 0});
    } else if (tensor.dtype != other->second.dtype || tensor.shape != other->second.shape) {
      report.differences.push_back({where, "another type or shape", 0});
    } else if (!std::ranges::equal(tensor.bytes, other->second.bytes)) {
      auto x = a.floats(key), y = b.floats(key);
      const double most = x.has_value() && y.has_value() ? max_difference(x.value(), y.value()) : 0;
      report.differences.push_back({where, "values differ", most});
    }
  }
  for (const auto& [key, tensor] : b.tensors())
    if (!a.tensors().count(key)) report.differences.push_back({name + ": " + key, "only in the second", 0});
  if (report.differences.size() == before) report.differences.push_back({name, "the same tensors, other metadata", 0});
  return ok();
}

Status diff_file(const fs::path& first, const fs::path& second, const std::string& name, const Tables& tables,
                 DiffReport& report) {
  const fs::path path(name);
  if (path.extension() == ".rows") return diff_rows(first, second, name, tables, report);
  if (path.extension() == ".safetensors") return diff_tensors(first, second, name, report);
  report.differences.push_back({name, "other bytes", 0});
  return ok();
}

void diff_manifests(const Manifest& a, const Manifest& b, DiffReport& report) {
  const auto differs = [&](const std::string& what, const auto& x, const auto& y) {
    if (x != y) report.differences.push_back({kManifestName, fmt::format("{}: {} and {}", what, x, y), 0});
  };
  differs("step", a.step.value, b.step.value);
  differs("epoch", a.epoch, b.epoch);
  differs("next batch", a.next_batch, b.next_batch);
  differs("configuration", hex64(a.config_digest), hex64(b.config_digest));
  differs("dataset", hex64(a.dataset_digest), hex64(b.dataset_digest));
  differs("groups", a.groups, b.groups);
  if (a.codes != b.codes) report.differences.push_back({kManifestName, "other item codes", 0});
  if (a.vectors != b.vectors) report.differences.push_back({kManifestName, "other item vectors", 0});
  if (const auto other = first_difference(b.tables, a.tables); !other.empty())
    report.differences.push_back({kManifestName, "the second's " + other, 0});
  if (a.facts != b.facts) report.notes.push_back("facts in the manifests differ (not counted)");
}

}  // namespace

Result<DiffReport> diff(const fs::path& first, const fs::path& second) {
  DYAD_TRY(a, verify(first, Depth::kDigests));
  DYAD_TRY(b, verify(second, Depth::kDigests));
  DiffReport report;
  diff_manifests(a, b, report);
  std::map<std::string, std::uint64_t> others;
  for (const ManifestFile& file : b.files) others[file.path] = file.digest;
  for (const ManifestFile& file : a.files) {
    const auto other = others.find(file.path);
    if (other == others.end()) {
      report.differences.push_back({file.path, "only in the first", 0});
    } else if (other->second != file.digest && file.path == kConfigName) {
      report.notes.push_back("config.toml differs in names or places (not counted)");
    } else if (other->second != file.digest) {
      DYAD_TRYV(diff_file(first, second, file.path, a.tables, report));
    }
    if (other != others.end()) others.erase(other);
  }
  for (const auto& [path, digest] : others) report.differences.push_back({path, "only in the second", 0});
  return report;
}

}  // namespace dyad::ckpt
