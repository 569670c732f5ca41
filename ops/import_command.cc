// dyad import: a public data set into a dataset folder.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "ops/command.h"
#include "ops/natural.h"
#include "tools/prepare/import/import.h"

namespace dyad::ops {
namespace {

struct Chosen {
  importer::Options options;
  bool json = false;
};

void print_json(const importer::Report& r) {
  nlohmann::ordered_json out = {{"users", r.users},
                                {"items", r.items},
                                {"interactions", r.interactions},
                                {"rows_read", r.rows},
                                {"from_histories", r.from_histories},
                                {"users_training", r.users_training},
                                {"users_validation", r.users_evaluated},
                                {"users_test", r.users_evaluated},
                                {"dropped",
                                 {{"low_rating", r.low_ratings},
                                  {"user_below_k_core", r.dropped_users_rare},
                                  {"item_below_k_core", r.dropped_items_rare}}},
                                {"k_core_rounds", r.k_core_rounds},
                                {"out_of_order", r.out_of_order},
                                {"unknown_times", r.unknown_times},
                                {"repeated", r.repeated},
                                {"tied_rows", r.tied_rows},
                                {"tied_last_two", r.tied_last},
                                {"undescribed_items", r.undescribed_items},
                                {"unused_items", r.unused_items},
                                {"far_times", r.far_times},
                                {"not_used", r.unused},
                                {"seconds", r.seconds}};
  if (r.split_differs) out["users_of_another_split"] = *r.split_differs;
  std::printf("%s\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void print_row(const char* what, std::uint64_t count, const char* note = "") {
  std::printf("%-24s %12llu  %s\n", what, static_cast<unsigned long long>(count), note);
}
void print_if(const char* what, std::uint64_t count, const char* note) {
  if (count > 0) print_row(what, count, note);
}

void print_dropped(const importer::Report& r, const importer::Options& o) {
  print_if("  dropped, low rating", r.low_ratings, "below --min-rating, or without a rating");
  if (o.distinct) print_row("  dropped, repeated", r.repeated, "of the user, item and time of one before");
  else print_if("repeated rows", r.repeated, "of the user, item and time of one before, kept; --distinct drops them");
  if (r.k_core_rounds == 0) return;
  const bool pairs = o.k_core_pairs;
  print_row("  dropped, rare user", r.dropped_users_rare,
            pairs ? "users of fewer distinct items than --k-core" : "users of fewer rows than --k-core");
  print_row("  dropped, rare item", r.dropped_items_rare,
            pairs ? "items of fewer distinct users than --k-core" : "items of fewer rows than --k-core");
  print_row("  k-core rounds", r.k_core_rounds);
}

void print_split(const importer::Report& r) {
  print_row("users that train", r.users_training, "of 2 interactions, or 4 and more");
  print_row("users of validation", r.users_evaluated, "of 3 interactions and more; the same users give a test item");
  if (r.users_evaluated == 0)
    std::printf("warning: no user has three interactions: there is nothing to validate or to test on\n");
  if (r.users_training == 0) std::printf("warning: no user gives a sample to train on\n");
  if (r.split_differs)
    print_row("of another split", *r.split_differs,
              "users whose last two interactions are not those of the validation and test files");
}

void print_table(const importer::Report& r, const importer::Options& o) {
  print_row("rows read", r.rows);
  print_if("  of their histories", r.from_histories, "interactions that only the lists of items before tell");
  print_dropped(r, o);
  print_row("users", r.users);
  print_row("items", r.items);
  print_row("interactions", r.interactions);
  print_split(r);
  print_if("out of order", r.out_of_order, "rows older than the user's row before; sorted by time");
  print_if("of unknown time", r.unknown_times, "kept behind the user's row before");
  print_if("of equal time", r.tied_rows,
           o.shuffle_ties ? "as the user's row before; in the order that --shuffle-ties drew"
                          : "as the user's row before; in the order of the file, unless --shuffle-ties");
  print_if("  users' last two", r.tied_last, "users whose test item is the test item by that order alone");
  if (o.shuffle_ties && r.tied_rows == 0)
    std::printf("warning: no rows are of equal time: --shuffle-ties changed nothing\n");
  if (r.far_times > 0)
    print_row("after the year 3000", r.far_times,
              "rows; are their times milliseconds? Their order is right all the same");
  print_if("items without text", r.undescribed_items, "no title, brand or category");
  print_if("items left out", r.unused_items, "described, but without interactions");
  if (r.described_items > 0 && r.unused_items == r.described_items)
    std::printf("warning: the file of items describes none of them: are its keys those of the interactions?\n");
  for (const std::string& what : r.unused) std::printf("columns not used: %s\n", what.c_str());
  std::printf("%s written in %.1f s\n", o.out.c_str(), r.seconds);
}

void add_columns(CLI::App& command, importer::Options& o) {
  importer::Columns& c = o.columns;
  command.add_option("--user-column,--user-key", c.user, "The user's column (recbole: user_id; jsonl, parquet: user)");
  command.add_option("--item-column", c.item, "The item's column (recbole: item_id; jsonl, parquet: item)");
  command.add_option("--time-column,--time-key", c.time,
                     "The time's column, seconds since 1970 or dates (recbole: timestamp; jsonl, parquet: time)");
  command.add_option("--rating-column,--rating-key", c.rating, "The rating's column, for --min-rating (rating)");
  command.add_option("--history-column", c.history,
                     "A column of lists: the items before the row's, or all of a user's (the item's column + _list)");
  command.add_option("--ignore-column", c.ignored, "A column that holds nothing that counts; may be given again")
      ->allow_extra_args(false);
  importer::ItemColumns& i = o.item_columns;
  command.add_option("--items", o.items, "jsonl, parquet: JSON lines with key, title, brand, categories");
  command.add_option("--item-key", i.key,
                     "The key's name in the file of items (recbole: item_id; else key); that of the interactions' item "
                     "too, if they have no 'item' and --item-column is not given");
  command.add_option("--title-key", i.title, "The title's (recbole: movie_title, title or name; else title)");
  command.add_option("--brand-key", i.brand, "The brand's (brand)");
  command.add_option("--categories-key", i.categories,
                     "The categories' (recbole: class, genre, genres or categories; else categories)");
}

void add_rows(CLI::App& command, importer::Options& o) {
  command.add_option("--min-rating", o.min_rating, "Drop rows that are rated lower, or not rated");
  command.add_flag("--distinct", o.distinct, "Of rows of one user, item and time keep the first");
  CLI::Option* k_core =
      command.add_option("--k-core", o.k_core, "Drop users and items of fewer rows, until none is left; 0: none")
          ->check(not_negative);
  command.add_flag("--k-core-pairs", o.k_core_pairs,
                   "Count a user's distinct items and an item's distinct users in it, not rows")
      ->needs(k_core);
  command.add_option("--shuffle-ties", o.shuffle_ties,
                     "A seed: put a user's rows of one time in an order drawn from it and the keys, not the file's")
      ->check(not_negative);
  command.add_flag("--require-order", o.require_order,
                   "Refuse rows older than the user's row before, instead of sorting");
}

}  // namespace

void add_import_command(CLI::App& dyad, int& exit_code) {
  auto chosen = std::make_shared<Chosen>();
  importer::Options& o = chosen->options;
  CLI::App* command = dyad.add_subcommand("import", "A public data set into a dataset folder");
  command->footer("Examples: dyad import --format recbole ml-100k/ --out data/ml-100k --k-core 5\n"
                  "          dyad import --format jsonl reviews.jsonl.gz --items meta.jsonl.gz --out data/beauty "
                  "--user-key reviewerID --item-key asin --time-key unixReviewTime\n"
                  "docs/input-formats.md tells what each format is and what is read of it.");
  command->add_option("paths", o.paths, "Files, or the folder that holds them; gzip is read as it is")->required();
  command->add_option("--format", o.format, "recbole, s3rec, jsonl or parquet")
      ->required()->check(CLI::IsMember({"recbole", "s3rec", "jsonl", "parquet"}));
  command->add_option("--out", o.out, "The dataset folder to write")->required();
  command->add_option("--partitions", o.partitions, "Partitions of the log")
      ->check(not_negative)->capture_default_str();
  add_columns(*command, o);
  add_rows(*command, o);
  command->add_flag("--force", o.force, "Replace an existing dataset, its vectors and codes with it");
  command->add_flag("--json", chosen->json, "JSON on stdout, and nothing else there");
  command->callback([chosen, &exit_code] {
    const Status writable = check_can_write(folder_of(chosen->options.out));
    const auto report = writable ? importer::run(chosen->options) : Result<importer::Report>(writable.error());
    if (!report.has_value()) {
      exit_code = finish(report.error());
    } else if (chosen->json) {
      print_json(report.value());
    } else {
      print_table(report.value(), chosen->options);
    }
  });
}

}  // namespace dyad::ops
