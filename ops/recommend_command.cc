// dyad recommend: what comes next after a history, by title.
#include <memory>
#include <CLI/CLI.hpp>
#include "ops/checkpoint_path.h"
#include "ops/command.h"
#include "ops/recommend/recommend.h"

namespace dyad::ops {

void add_recommend_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("recommend", "Recommend items after a history, by title");
  auto options = std::make_shared<RecommendOptions>();
  command->add_option("checkpoint", options->checkpoint, "folder of the checkpoint")->required();
  auto* history =
      command->add_option("--history", options->history, "titles or ids, oldest first, separated by commas");
  auto* user = command->add_option("--user", options->user, "outside id of a user in the log")->excludes(history);
  command
      ->add_option("--users", options->users,
                   "file of such ids, one a line, or - for stdin: a line of JSON for each, from one process")
      ->type_name("FILE")
      ->excludes(history)
      ->excludes(user);
  command->add_option("--seen", options->seen, "items of the history: keep (as evaluation does), or drop for others")
      ->check(CLI::IsMember({"keep", "drop"}))
      ->capture_default_str();
  command->add_option("--top", options->top, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--data", options->data, "dataset folder, if not the one it was trained on");
  command->add_option("--set", options->sets, "over the checkpoint's configuration, such as eval.rank=own")
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  command->footer(
      "Examples: dyad recommend run --user 3 --seen drop; cut -f1 users.tsv | dyad recommend run --users -\n"
      "          dyad recommend run/checkpoints/best --history \"Toy Story (1995), Star Wars (1977)\"");
  command->callback([options, &exit_code] { 
    const auto checkpoint = checkpoint_of(options->checkpoint, Best::kTake);
    if (checkpoint) options->checkpoint = checkpoint.value().string();
    exit_code = finish(checkpoint ? recommend(*options) : Status(checkpoint.error()));
  });
}

}  // namespace dyad::ops
