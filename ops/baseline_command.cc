// dyad baseline popularity | sasrec: what EAGER is compared with, on the same split.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/progress.h"
#include "common/data/dataset.h"
#include "common/data/samples.h"
#include "common/io/atomic_file.h"
#include "ops/command.h"
#include "ops/ranges.h"
#include "tools/baseline/popularity.h"
#include "tools/baseline/sasrec.h"

namespace dyad::ops {
namespace {

struct Options {
  std::string data, output;
  bool json = false;
  baseline::SasRecOptions sasrec;
};

// The result on stdout, and as JSON to a file where one is named.
Status publish(const Options& options, const char* model, const baseline::Ranking& test,
               const baseline::Ranking& validation) {
  const nlohmann::json document{{"model", model},
                                {"split", "test"},
                                {"users", test.users()},
                                {"metrics", test.to_json()},
                                {"validation", validation.to_json()}};
  if (options.json) std::printf("%s\n", document.dump(2).c_str());
  else std::printf("%s, test: %s\n", model, test.to_text().c_str());
  if (options.output.empty()) return ok();
  DYAD_TRYV(io::write_file_atomic(options.output, document.dump(2) + "\n"));
  return ok();
}

Result<data::Dataset> open(const Options& options) {
  DYAD_TRYV(check_output(options.output));
  DYAD_TRY(dataset, data::Dataset::open(options.data));
  if (data::samples(dataset, data::Split::kTest).empty())
    return fail(Code::kInvalid, "no user has a test item: {} holds no user of 3 events or more, so nothing is measured",
                options.data);
  return std::move(dataset);
}

Status popularity(const Options& options) {
  DYAD_TRY(dataset, open(options));
  return publish(options, "popularity", baseline::rank_by_popularity(dataset, data::Split::kTest),
                 baseline::rank_by_popularity(dataset, data::Split::kValidation));
}

Status sasrec(const Options& options) {
  DYAD_TRY(dataset, open(options));
  std::unique_ptr<Progress> bar;
  const auto on_batch = [&](std::size_t done, std::size_t all) {
    if (!bar) bar = std::make_unique<Progress>("SASRec", all, "steps");
    bar->at(done);
  };
  const auto on_epoch = [&](const baseline::SasRecEpoch& e) {
    bar.reset();
    notice(fmt::format("epoch {}: loss {:.4f}, validation Recall@10 {:.4f} NDCG@10 {:.4f}, {:.1f} s", e.epoch, e.loss,
                       e.validation.recall(10), e.validation.ndcg(10), e.seconds));
  };
  DYAD_TRY(result, baseline::run_sasrec(dataset, options.sasrec, on_epoch, on_batch));
  return publish(options, "SASRec", result.test, result.validation);
}

void add_common(CLI::App& command, Options& options) {
  command.add_option("--data", options.data, "the dataset folder")->required();
  add_json_options(command, options.json, options.output);
}

}  // namespace

void add_baseline_command(CLI::App& dyad, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = dyad.add_subcommand("baseline", "popularity and SASRec on the same split, full ranking");
  command->require_subcommand(1);
  command->footer("Example: dyad baseline popularity --data data/ml-100k");
  auto* simple = command->add_subcommand("popularity", "the most frequent items of the training part");
  add_common(*simple, *options);
  simple->footer("Example: dyad baseline popularity --data data/ml-100k");
  simple->callback([options, &exit_code] { exit_code = finish(popularity(*options)); });
  auto* net = command->add_subcommand("sasrec", "SASRec with full-softmax cross-entropy");
  auto& o = options->sasrec;
  add_common(*net, *options);
  net->add_option("--epochs", o.epochs, "at most")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  net->add_option("--patience", o.patience, "epochs without a better validation NDCG@10 before it stops")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  net->add_option("--seconds", o.seconds_max, "no epoch starts after so long, 0: no limit")
      ->check(real_in(0, 1e9))
      ->capture_default_str();
  net->add_option("--dim", o.dim, "width")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  net->add_option("--layers", o.layers, "of self-attention")
      ->check(whole_in(1, 1000))
      ->capture_default_str();
  net->add_option("--heads", o.heads, "of attention")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  net->add_option("--history", o.history, "items of a history, at most")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  net->add_option("--batch", o.batch, "sequences a step")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  net->add_option("--dropout", o.dropout, "everywhere")
      ->check(real_in(0, 0.999))
      ->capture_default_str();
  net->add_option("--lr", o.lr, "of Adam")
      ->check(real_in(1e-12, 1e3))
      ->capture_default_str();
  net->add_option("--seed", o.seed, "of everything random")->capture_default_str();
  net->add_option("--threads", o.threads, "compute threads")
      ->check(threads_in_range())
      ->capture_default_str();
  net->footer("Example: dyad baseline sasrec --data data/ml-100k --output sasrec.json");
  net->callback([options, &exit_code] { exit_code = finish(sasrec(*options)); });
}

}  // namespace dyad::ops
