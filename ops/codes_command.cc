// dyad codes build | report: item codes from item vectors, and what they look like.
#include <cstdio>
#include <memory>
#include <thread>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/progress.h"
#include "common/data/dataset.h"
#include "ops/command.h"
#include "ops/ranges.h"
#include "tools/prepare/codes/build.h"
#include "tools/prepare/codes/report.h"

namespace dyad::ops {
namespace {

struct Options {
  std::string data, stream = "both";
  codes::BuildOptions build;
  codes::ReportOptions report;
  bool json = false;
};

std::vector<codes::Stream> streams_of(const std::string& name) {
  if (name == "behaviour") return {codes::Stream::kBehaviour};
  if (name == "semantic") return {codes::Stream::kSemantic};
  return {codes::Stream::kBehaviour, codes::Stream::kSemantic};
}

Status build(Options options) {
  DYAD_TRY(dataset, data::Dataset::open(options.data));
  DYAD_TRYV(check_can_write(codes::codes_file(options.data, codes::Stream::kSemantic).parent_path()));
  nlohmann::json all = nlohmann::json::array();
  for (const codes::Stream stream : streams_of(options.stream)) {
    std::unique_ptr<Progress> bar;
    const std::string label = std::string("codes, ") + codes::stream_name(stream);
    options.build.progress = [&](std::size_t done, std::size_t clusters) {
      if (!bar || done == 1) bar = std::make_unique<Progress>(label, clusters, "clusters");
      bar->at(done);
      if (done == clusters) bar->finish();
    };
    DYAD_TRY(facts, codes::build_codes(dataset, stream, options.build));
    const std::string file = codes::codes_file(options.data, stream).string();
    all.push_back({{"stream", codes::stream_name(stream)},
                   {"items", facts.items},
                   {"dims", facts.width},
                   {"levels", facts.levels},
                   {"seconds", facts.seconds},
                   {"zero_vectors", facts.zeros.size()},
                   {"replaced", facts.replaced},
                   {"file", file}});
    if (!options.json)
      std::printf("%s: %zu items of %zu dims, %zu codes each, %.1f s -> %s\n", codes::stream_name(stream), facts.items,
                  facts.width, facts.levels, facts.seconds, file.c_str());
    if (!facts.zeros.empty()) std::fprintf(stderr, "%s\n", codes::zeros_text(dataset, facts.zeros).c_str());
    if (facts.replaced)
      std::fprintf(stderr, "these replace other codes that were in %s: checkpoints trained on those no longer fit this "
                           "dataset\n", file.c_str());
  }
  if (options.json) std::printf("%s\n", all.dump(2).c_str());
  return ok();
}

Status report(const Options& options) {
  DYAD_TRY(dataset, data::Dataset::open(options.data));
  nlohmann::json all = nlohmann::json::array();
  for (const codes::Stream stream : streams_of(options.stream)) {
    DYAD_TRY(one, codes::report_codes(dataset, stream, options.report));
    if (options.json) all.push_back(codes::to_json(one));
    else std::printf("%s", codes::to_text(one).c_str());
  }
  if (options.json) std::printf("%s\n", all.dump(2).c_str());
  return ok();
}

void add_common(CLI::App& command, Options& options) {
  command.add_option("--data", options.data, "the dataset folder")->required();
  command.add_option("--stream", options.stream, "behaviour, semantic or both")
      ->check(CLI::IsMember({"behaviour", "semantic", "both"}))
      ->capture_default_str();
  command.add_flag("--json", options.json, "JSON on stdout, and nothing else there");
  command.add_option("--seed", options.build.seed, "of the clustering")->capture_default_str();
}

}  // namespace

void add_codes_command(CLI::App& dyad, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->build.threads = std::max(1u, std::thread::hardware_concurrency());
  auto* command = dyad.add_subcommand("codes", "item codes by hierarchical balanced k-means");
  command->require_subcommand(1);
  command->footer("Example: dyad codes build --data data/ml-100k --k 64");
  auto* make = command->add_subcommand("build", "vectors -> codes; needs `dyad encode` first");
  add_common(*make, *options);
  make->add_option("--k", options->build.k, "children of a cluster")
      ->check(whole_in(2, 65535))
      ->capture_default_str();
  make->add_option("--rounds", options->build.rounds, "of k-means at each level, at most")
      ->check(whole_in(1, 1000))
      ->capture_default_str();
  make->add_option("--pca", options->build.pca, "dims kept for clustering, 0: all")
      ->check(whole_in(0, kSizeMax))
      ->capture_default_str();
  make->add_option("--threads", options->build.threads, "compute threads; the result does not depend on them")
      ->check(threads_in_range())
      ->capture_default_str();
  make->footer("Example: dyad codes build --data data/ml-100k --k 64");
  make->callback([options, &exit_code] { exit_code = finish(build(*options)); });
  auto* show = command->add_subcommand("report", "depth, balance, tightness and sample clusters");
  add_common(*show, *options);
  show->add_option("--clusters", options->report.clusters, "clusters to show")
      ->check(whole_in(0, kSizeMax))
      ->capture_default_str();
  show->footer("Example: dyad codes report --data data/ml-100k");
  show->callback([options, &exit_code] { exit_code = finish(report(*options)); });
}

}  // namespace dyad::ops
