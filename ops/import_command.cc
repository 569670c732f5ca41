// dyad import: a public data set into a dataset folder.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "ops/command.h"
#include "tools/import/import.h"

namespace dyad::ops {
namespace {

struct Chosen {
  importer::Options options;
  bool json = false;
};

void print_json(const importer::Report& r) {
  const nlohmann::ordered_json out = {
      {"users", r.users}, {"items", r.items}, {"interactions", r.interactions}, {"rows_read", r.rows},
      {"dropped", {{"user_below_k_core", r.dropped_users_rare}, {"item_below_k_core", r.dropped_items_rare}}},
      {"k_core_rounds", r.k_core_rounds}, {"out_of_order", r.out_of_order}, {"unknown_times", r.unknown_times},
      {"undescribed_items", r.undescribed_items}, {"unused_items", r.unused_items}, {"seconds", r.seconds}};
  std::printf("%s\n", out.dump(2).c_str());
}

void print_row(const char* what, std::uint64_t count, const char* note = "") {
  std::printf("%-24s %12llu  %s\n", what, static_cast<unsigned long long>(count), note);
}

void print_table(const importer::Report& r, const std::string& out) {
  print_row("rows read", r.rows);
  if (r.k_core_rounds > 0) {
    print_row("  dropped, rare user", r.dropped_users_rare, "users of fewer rows than --k-core");
    print_row("  dropped, rare item", r.dropped_items_rare, "items of fewer rows than --k-core");
    print_row("  k-core rounds", r.k_core_rounds);
  }
  print_row("users", r.users);
  print_row("items", r.items);
  print_row("interactions", r.interactions);
  if (r.out_of_order > 0)
    print_row("out of order", r.out_of_order, "rows older than the user's row before; sorted by time");
  if (r.unknown_times > 0) print_row("of unknown time", r.unknown_times, "kept behind the user's row before");
  if (r.undescribed_items > 0) print_row("items without text", r.undescribed_items, "no title, brand or category");
  if (r.unused_items > 0) print_row("items left out", r.unused_items, "described, but without interactions");
  std::printf("%s written in %.1f s\n", out.c_str(), r.seconds);
}

}  // namespace

void add_import_command(CLI::App& dyad, int& exit_code) {
  auto chosen = std::make_shared<Chosen>();
  importer::Options& o = chosen->options;
  CLI::App* command = dyad.add_subcommand("import", "A public data set into a dataset folder");
  command->footer("Example: dyad import --format recbole ml-100k/ --out data/ml-100k --k-core 5");
  command->add_option("paths", o.paths, "Files, or the folder that holds them")->required();
  command->add_option("--format", o.format, "recbole, s3rec, jsonl or parquet")
      ->required()->check(CLI::IsMember({"recbole", "s3rec", "jsonl", "parquet"}));
  command->add_option("--out", o.out, "The dataset folder to write")->required();
  command->add_option("--items", o.items, "jsonl, parquet: JSON lines with key, title, brand, categories");
  command->add_option("--k-core", o.k_core, "Drop users and items of fewer rows, until none is left; 0: none");
  command->add_option("--partitions", o.partitions, "Partitions of the log")->capture_default_str();
  command->add_option("--user-column", o.user_column, "Name of the user's column, unless the format's own");
  command->add_option("--item-column", o.item_column, "Name of the item's column");
  command->add_option("--time-column", o.time_column, "Name of the time's column");
  command->add_flag("--require-order", o.require_order,
                    "Refuse rows older than the user's row before, instead of sorting");
  command->add_flag("--force", o.force, "Replace an existing dataset, its vectors and codes with it");
  command->add_flag("--json", chosen->json, "Report as JSON");
  command->callback([chosen, &exit_code] {
    const auto report = importer::run(chosen->options);
    if (!report.has_value()) {
      exit_code = finish(report.error());
    } else if (chosen->json) {
      print_json(report.value());
    } else {
      print_table(report.value(), chosen->options.out.string());
    }
  });
}

}  // namespace dyad::ops
