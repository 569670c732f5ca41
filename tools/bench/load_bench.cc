// dyad-bench-load: how fast a server's rows come back from a checkpoint, beside reading the same files raw.
#include <algorithm>
#include <filesystem>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include "common/base/clock.h"
#include "common/ckpt/rows_file.h"
#include "common/ckpt/rows_writer.h"
#include "common/io/mapped_file.h"
#include "ps/cut.h"

namespace {

using namespace dyad;

constexpr std::size_t kTables = 3;

struct Options {
  std::uint64_t rows = 1000000;
  std::uint32_t dim = 128;
  std::string optimizer = "adam", folder = "/tmp/dyad-bench-load";
};

// Half of the rows in the item table, a quarter in each code table, as checkpoint files of all groups.
std::uint64_t write_files(const Options& o, const wire::Partition& partition, const ps::Shard& shard) {
  std::vector<ckpt::RowsTable> tables;
  for (std::size_t t = 0; t < kTables; ++t) {
    const auto shape = shard.table(static_cast<TableId>(t)).shape();
    tables.push_back({shape.table, shape.dim, shape.slots, shape.optimizer});
  }
  std::vector<std::array<std::vector<ckpt::RowRef>, kTables>> rows(partition.buckets);
  const std::vector<float> data(std::size_t{tables[0].dim} + tables[0].slots, 0.25f);
  for (std::size_t t = 0; t < kTables; ++t)
    for (std::uint64_t key = 0; key < o.rows / (t == 0 ? 2 : 4); ++key) {
      const auto table = static_cast<TableId>(t);
      rows[partition.bucket(table, RowKey{key}).value][t].push_back(
          {RowKey{key}, 1, data.data()});
    }
  std::uint64_t bytes = 0;
  for (std::uint32_t g = 0; g < partition.groups; ++g) {
    auto writer = ckpt::RowsWriter::create(std::filesystem::path(o.folder) / ckpt::rows_file_name(GroupId{g}),
                                           {Step{1}, GroupId{g}, partition.groups, partition.buckets, tables}).value();
    const std::uint32_t each = partition.buckets_per_group();
    for (std::uint32_t b = g * each; b < (g + 1) * each; ++b)
      for (std::size_t t = 0; t < kTables; ++t)
        writer.section(BucketId{b}, static_cast<TableId>(t), rows[b][t]).value();
    bytes += writer.finish().value().bytes;
  }
  return bytes;
}

double read_raw_s(const Options& o, const wire::Partition& partition) {
  const double start = steady_now_s();
  std::uint64_t sum = 0;
  for (std::uint32_t g = 0; g < partition.groups; ++g) {
    const auto file = io::MappedFile::open(std::filesystem::path(o.folder) / ckpt::rows_file_name(GroupId{g})).value();
    sum ^= digest64(file.bytes());
  }
  const double seconds = steady_now_s() - start;
  return sum == 1 ? 0 : seconds;
}

double load_s(const Options& o, const wire::Partition& partition, ps::Shard& shard) {
  std::vector<GroupId> groups;
  for (std::uint32_t g = 0; g < partition.groups; ++g) groups.push_back(GroupId{g});
  const double start = steady_now_s();
  ps::load_cut(o.folder, Step{1}, partition, groups, shard, std::atomic<bool>(false)).value();
  return steady_now_s() - start;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"How fast a server's rows come back from a checkpoint, beside reading the same files"};
  app.footer("Example: dyad-bench-load --rows 1000000 --dim 128 --optimizer adam");
  app.add_option("--rows", o.rows, "in all three tables");
  app.add_option("--dim", o.dim);
  app.add_option("--optimizer", o.optimizer);
  app.add_option("--folder", o.folder, "where the files are made; removed at the end");
  CLI11_PARSE(app, argc, argv);
  const wire::Partition partition;
  Tables tables;
  for (const char* name : {"a", "b", "c"})
    tables.push_back({.name = name, .width = o.dim, .key_end = o.rows, .optimizer = {.name = o.optimizer}});
  const auto make = [&] { return std::move(ps::Shard::make({tables})).value(); };
  const double gigabytes = 1e-9 * static_cast<double>(write_files(o, partition, *make()));
  read_raw_s(o, partition);                                      // the files are in memory from here on
  double raw = 1e9, load = 1e9;
  std::size_t rows = 0;
  for (int again = 0; again < 3; ++again) {
    raw = std::min(raw, read_raw_s(o, partition));
    const auto shard = make();
    load = std::min(load, load_s(o, partition, *shard));
    rows = shard->rows();
  }
  fmt::print("{} rows of {} floats and {}'s state, {:.2f} GB in memory, one thread, best of 3\n", rows, o.dim,
             o.optimizer, gigabytes);
  fmt::print("{:<26} {:>7.2f} s {:>7.2f} GB/s\n", "map and digest the files", raw, gigabytes / raw);
  fmt::print("{:<26} {:>7.2f} s {:>7.2f} GB/s {:>8.2f} us/row\n", "load them into tables", load, gigabytes / load,
             1e6 * load / static_cast<double>(rows));
  std::filesystem::remove_all(o.folder);
  return 0;
}
