#include "worker/eval/eval_job.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/progress.h"
#include "common/base/random.h"
#include "common/ckpt/eval_result.h"
#include "common/config/eval_settings.h"
#include "common/data/samples.h"
#include "common/io/atomic_file.h"
#include "worker/decode/beam_search.h"
#include "worker/decode/ranking_metrics.h"
#include "worker/eval/loaded_model.h"

namespace dyad::worker {
namespace {

// Each stream alone; the merged list, fusion, as eval.rank orders it; and as the other rule does (list_name()).
enum List : std::size_t { kBehaviour, kSemantic, kFusion, kOtherRule, kLists };
constexpr std::size_t kPlaces = 20, kBins = kPlaces + 1;              // the last bin: not in the list

// How often the held-out item had each place in each list. Counts are whole numbers, so a sum over ranks is exact.
using Counts = std::array<double, kLists * kBins>;

const char* list_name(std::size_t list, const std::string& rank) {
  constexpr std::array kNames{"behaviour", "semantic", "fusion"};
  return list < kNames.size() ? kNames[list] : rank == "own" ? "fusion-sum" : "fusion-own";
}

config::EvalSettings settings_of(const config::Config& config, const EvalJobOptions& options) {
  auto settings = config::eval_settings(config, options.split);
  if (options.users) settings.users = *options.users;
  return settings;
}

ckpt::EvalOrigin origin_of(const LoadedModel& loaded, const EvalJobOptions& options) {
  return {loaded.folder.filename().string(), options.split, settings_of(loaded.config, options), loaded.manifest,
          loaded.data.dataset.digest(), config::result_digest(loaded.config)};
}

std::vector<data::Sample> chosen_samples(const LoadedModel& loaded, const EvalJobOptions& options) {
  const auto split = options.split == "test" ? data::Split::kTest : data::Split::kValidation;
  auto samples = data::samples(loaded.data.dataset, split);
  const std::size_t wanted = settings_of(loaded.config, options).users;
  if (wanted == 0 || wanted >= samples.size()) return samples;
  KeyedRandom random(loaded.config.job.seed, 0x6576616c);             // "eval"
  shuffle(samples, random);
  samples.resize(wanted);
  return samples;
}

template <class List> void count(Counts& counts, std::size_t list, const List& items, ItemId target) {
  const long place = place_of(items, target);
  ++counts[list * kBins + (place < 0 ? kPlaces : std::min<std::size_t>(static_cast<std::size_t>(place), kPlaces))];
}

// Batch b of users belongs to rank b mod R: what is decoded together is the same for any number of ranks.
Counts decode_part(const LoadedModel& loaded, std::span<const data::Sample> samples, const comm::Collective& all,
                   bool on_terminal) {
  const auto& config = loaded.config;
  const auto& dataset = loaded.data.dataset;
  BeamSearch search(*loaded.model, {loaded.tables[0], {loaded.tables[1], loaded.tables[2]}}, loaded.data.trie_views(),
                    {config.eval.beams, kPlaces});
  Counts counts{};
  Progress progress("evaluate", samples.size(), "users", on_terminal || Progress::is_terminal());
  const std::size_t batch = std::max<std::uint32_t>(1, config.eval.batch), ranks = all.size();
  for (std::size_t begin = all.rank().value * batch; begin < samples.size(); begin += ranks * batch) {
    const auto part = samples.subspan(begin, std::min(batch, samples.size() - begin));
    std::vector<std::vector<ItemId>> histories;
    for (const auto& sample : part) {
      const auto items = data::history(dataset, sample, config.model.history);
      histories.emplace_back(items.begin(), items.end());
    }
    const auto found = search.run(histories);
    for (std::size_t i = 0; i < part.size(); ++i) {
      const ItemId target = dataset.sequence(part[i].user)[part[i].target];
      for (const std::size_t s : {kBehaviour, kSemantic}) count(counts, s, found[i].stream[s], target);
      count(counts, kFusion, found[i].ranked(config.eval.rank), target);
      count(counts, kOtherRule, config.eval.rank == "own" ? found[i].by_sum : found[i].by_own, target);
    }
    if (all.rank() == WorkerRank{0}) progress.at(std::min(samples.size(), begin + ranks * batch));
  }
  if (all.rank() == WorkerRank{0}) progress.finish();
  return counts;
}

RankingMetrics metrics_of(const Counts& counts, std::size_t list) {
  RankingMetrics metrics;
  for (std::size_t place = 0; place < kBins; ++place) {
    RankingMetrics one;
    one.add(place == kPlaces ? -1 : static_cast<long>(place));
    for (std::size_t i = 0; i < metrics.sums.size(); ++i) metrics.sums[i] += counts[list * kBins + place] * one.sums[i];
  }
  return metrics;
}

nlohmann::json result_json(const LoadedModel& loaded, const EvalJobOptions& options, const Counts& counts) {
  nlohmann::json metrics = nlohmann::json::object();
  for (std::size_t list = 0; list < kLists; ++list) {
    const auto m = metrics_of(counts, list);
    const char* name = list_name(list, loaded.config.eval.rank);
    for (std::size_t i = 0; i < kCutoffs.size(); ++i) {
      metrics[fmt::format("{}/recall@{}", name, kCutoffs[i])] = m.recall(i);
      metrics[fmt::format("{}/ndcg@{}", name, kCutoffs[i])] = m.ndcg(i);
    }
  }
  nlohmann::json result = ckpt::to_json(origin_of(loaded, options));
  result["step"] = loaded.step.value;
  result["users"] = metrics_of(counts, 0).users();
  result["metrics"] = std::move(metrics);
  return result;
}

void print_table(const Counts& counts, const LoadedModel& loaded, const std::string& split, double users_per_s) {
  const auto& settings = loaded.config.eval;
  std::printf("%s, %s split, %.0f users, %u beams, rank %s, %.0f users/s\n%-10s", loaded.folder.filename().c_str(),
              split.c_str(), metrics_of(counts, 0).users(), settings.beams, settings.rank.c_str(), users_per_s, "list");
  for (const int k : kCutoffs) std::printf("  R@%-5d", k);
  for (const int k : kCutoffs) std::printf("  N@%-5d", k);
  for (std::size_t list = 0; list < kLists; ++list) {
    const auto m = metrics_of(counts, list);
    std::printf("\n%-10s", list_name(list, settings.rank));
    for (std::size_t i = 0; i < kCutoffs.size(); ++i) std::printf("  %.4f ", m.recall(i));
    for (std::size_t i = 0; i < kCutoffs.size(); ++i) std::printf("  %.4f ", m.ndcg(i));
  }
  std::printf("\n");
}

// A checkpoint of somebody else, or on a disk that is only read: its evaluation is worth as much, and only printed.
bool can_be_kept(const LoadedModel& loaded) { return ::access(loaded.folder.c_str(), W_OK | X_OK) == 0; }

// Beside the checkpoint if it is the job's own, and where --output says.
Status keep_result(const LoadedModel& loaded, const EvalJobOptions& options, const std::string& text) {
  if (!options.output.empty()) { DYAD_TRYV(io::write_file_atomic(options.output, text)); }
  DYAD_TRY(other, ckpt::what_is_other(origin_of(loaded, options), loaded.folder));   // fails when it is gone meanwhile
  const auto beside = ckpt::eval_file(loaded.folder, options.split);
  if (other.empty() && can_be_kept(loaded)) { DYAD_TRYV(io::write_file_atomic(beside, text)); }
  if (!other.empty()) LOG_INFO("not the job's own evaluation ({}): not kept beside the checkpoint", other);
  return ok();
}

}  // namespace

void add_eval_options(CLI::App& app, EvalJobOptions& options) {
  app.add_option("checkpoint", options.checkpoint, "folder of the checkpoint")->required();
  app.add_option("--split", options.split, "which held-out items")
      ->check(CLI::IsMember({"validation", "test"}))->capture_default_str();
  app.add_option("--data", options.data, "dataset folder, if not the one it was trained on");
  app.add_option("--users", options.users, "only so many users, drawn by the seed (0: all)");
  app.add_flag("--json", options.json, "JSON on stdout, and nothing else there");
  app.add_option("--output", options.output, "write the result as JSON to this file, too");
  app.add_flag("--terminal", options.on_terminal, "draw a bar: mpirun's stderr is a terminal, a rank's own never is");
  app.add_option("--set", options.sets, "over the checkpoint's configuration (repeatable)")->allow_extra_args(false);
}

Status run_eval_job(const EvalJobOptions& options, comm::Collective& all) {
  DYAD_TRY(loaded, load_model(options.checkpoint, options.data, options.sets));
  at::set_num_threads(static_cast<int>(loaded.config.eval.threads));
  if (all.rank() == WorkerRank{0} && !can_be_kept(loaded))
    LOG_WARN("{} can't be written: the result will be printed, not kept there", loaded.folder.string());
  const auto samples = chosen_samples(loaded, options);
  if (samples.empty())
    return fail(Code::kInvalid, "no user has a {} item: {} holds no user of 3 events or more, so nothing is measured",
                options.split, loaded.data.dataset.dir().string());
  const double start = steady_now_s();
  Counts counts = decode_part(loaded, samples, all, options.on_terminal);
  DYAD_TRYV(all.sum(counts));
  const double users_per_s = static_cast<double>(samples.size()) / (steady_now_s() - start);
  if (all.rank() != WorkerRank{0}) return all.barrier();
  const std::string text = result_json(loaded, options, counts).dump(1) + "\n";
  if (options.json) std::fputs(text.c_str(), stdout);
  else print_table(counts, loaded, options.split, users_per_s);
  DYAD_TRYV(keep_result(loaded, options, text));
  return all.barrier();
}

}  // namespace dyad::worker
