// dyad recommend: what comes next after a history, by title.
#include <memory>
#include <CLI/CLI.hpp>
#include "ops/command.h"
#include "ops/recommend/recommend.h"

namespace dyad::ops {

void add_recommend_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("recommend", "Recommend items after a history, by title");
  auto options = std::make_shared<RecommendOptions>();
  command->add_option("checkpoint", options->checkpoint, "folder of the checkpoint")->required();
  auto* history =
      command->add_option("--history", options->history, "titles or ids, oldest first, separated by commas");
  command->add_option("--user", options->user, "outside id of a user in the log")->excludes(history);
  command->add_option("--top", options->top, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--data", options->data, "dataset folder, if not the one it was trained on");
  command->add_option("--set", options->sets, "over the checkpoint's configuration, such as eval.rank=own")
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "JSON on stdout");
  command->footer("Example: dyad recommend run/checkpoints/best --history \"Toy Story (1995), Star Wars (1977)\"");
  command->callback([options, &exit_code] { exit_code = finish(recommend(*options)); });
}

}  // namespace dyad::ops
