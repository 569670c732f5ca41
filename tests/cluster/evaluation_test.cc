// Evaluation of a job's checkpoints by real ranks: beside its training, after it, by hand; what the job makes of the
// results.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>
#include <fstream>
#include <map>
#include <set>
#include <nlohmann/json.hpp>
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/eval_result.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "coordinator/core/evaluations.h"
#include "coordinator/journal/start.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

TEST(ClusterEvaluation, OneRankAndThreeRanksEvaluateToTheSameFigures) {
  const auto figures = [](const std::string& ranks) {
    const auto file = scratch() / ("eval" + ranks + ".json");
    const Outcome outcome = run({program("dyad"), "eval", undisturbed().string(), "--split", "test", "--ranks", ranks,
                                 "--output", file.string()});
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return nlohmann::json::parse(std::ifstream(file)).at("metrics");
  };
  const auto one = figures("1");
  EXPECT_GT(one.at("fusion/recall@20").get<double>(), 0.05);
  EXPECT_EQ(one, figures("3"));
}

// The table said "sum" of what the page, the metrics and `best` called fusion.
TEST(ClusterEvaluation, TheMergedListHasOneNameInTheTableAndInTheResult) {
  for (const auto& [rank, other] : {std::pair{"sum", "fusion-own"}, {"own", "fusion-sum"}}) {
    const auto file = scratch() / "lists.json";
    const Outcome outcome = run({program("dyad"), "eval", undisturbed().string(), "--set",
                                 std::string("eval.rank=") + rank, "--output", file.string()});
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find(std::string(", rank ") + rank + ","), std::string::npos) << outcome.output;
    std::set<std::string> lists;
    const auto metrics = nlohmann::json::parse(std::ifstream(file)).at("metrics");
    for (const auto& [name, _] : metrics.items())
      lists.insert(name.substr(0, name.find('/')));
    EXPECT_EQ(lists, (std::set<std::string>{"behaviour", "semantic", "fusion", other}));
    for (const std::string& list : lists)
      EXPECT_NE(outcome.output.find("\n" + list + " "), std::string::npos) << list << ":\n" << outcome.output;
  }
}

std::size_t ranks_at_work(const fs::path& folder) {
  std::size_t ranks = 0;
  std::string name;
  for (const pid_t pid : processes_of(folder))
    if (std::ifstream comm("/proc/" + std::to_string(pid) + "/comm"); std::getline(comm, name) && name == "dyad-worker")
      ++ranks;
  return ranks;
}

TEST(ClusterEvaluation, AnEvaluationEndsByASignalAndHasTheRanksOfItsConfiguration) {
  const std::string checkpoint = undisturbed().string();
  for (const int signal : {SIGINT, SIGTERM}) {
    auto child = start(
        "eval", {program("dyad"), "eval", checkpoint, "--set", "eval.workers=3", "--set", "eval.batch=1"},
        scratch() / "eval_signal.log");
    EXPECT_TRUE(soon([&] { return ranks_at_work(checkpoint) == 3; })) << ops::tail(child.log(), 20);
    child.signal(signal);
    EXPECT_TRUE(child.wait_for(20'000));
    EXPECT_EQ(child.poll(), 128 + signal) << ops::tail(child.log(), 20);
    EXPECT_EQ(ranks_at_work(checkpoint), 0u);
  }
}

TEST(ClusterEvaluation, AnEvaluatorAskedToLeaveTakesItsRanksAlong) {
  const auto job = scratch() / "followed";
  ASSERT_EQ(run(train_command(job, {"checkpoint.every_steps=5"})).code, 0);
  auto follower = start("follower", {program("dyad"), "eval", "--follow", job.string()}, scratch() / "follower.log");
  ASSERT_TRUE(soon([&] { return process_of(job, "dyad-worker") > 0; })) << ops::tail(follower.log(), 20);
  follower.signal(SIGTERM);
  EXPECT_TRUE(follower.wait_for(10'000));
  EXPECT_EQ(follower.poll(), 0) << ops::tail(follower.log(), 20);
  EXPECT_TRUE(processes_of(job).empty());
}

TEST(ClusterEvaluation, AResultThatCouldNotBeRecordedIsRecordedLater) {
  const auto job = scratch() / "told_later";
  ASSERT_EQ(run(train_command(job, {"checkpoint.every_epochs=2"})).code, 0);
  const int journal = ::open((job / "coordinator.journal").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(journal, LOCK_EX | LOCK_NB), 0);
  auto follower = start("follower", {program("dyad"), "eval", "--follow", job.string()}, scratch() / "later.log");
  const auto refused = [&] { return ops::tail(follower.log(), 200).find("not recorded") != std::string::npos; };
  EXPECT_TRUE(soon(refused)) << ops::tail(follower.log(), 20);
  const auto best = ckpt::checkpoints_dir(job) / "best";
  EXPECT_FALSE(fs::exists(best));
  ::close(journal);
  EXPECT_TRUE(soon([&] { return fs::exists(best); })) << ops::tail(follower.log(), 20);
  follower.signal(SIGUSR1);
  EXPECT_TRUE(follower.wait_for(10'000));
  EXPECT_EQ(follower.poll(), 0) << ops::tail(follower.log(), 20);
}

// What a job's journal says of its checkpoints.
struct Told {
  std::set<std::string> committed;
  std::map<std::string, double> ndcg;                                // with a validation result
};
Told told_of(const fs::path& job) {
  std::vector<std::string> records;
  const auto journal = coordinator::Journal::open(job / coordinator::kJournalName, records);
  EXPECT_TRUE(journal);
  const auto entries = coordinator::decode_entries(records, job.string()).value();
  Told told;
  for (const auto& entry : entries) {
    if (const auto* cut = std::get_if<coordinator::CutCommitted>(&entry)) told.committed.insert(cut->folder);
    if (const auto* result = std::get_if<coordinator::Evaluated>(&entry); result && result->split == "validation")
      told.ndcg[result->folder] = result->metrics.at(coordinator::kBestMetric);
  }
  return told;
}

// Cuts come faster than evaluations here: at least the last four wait for theirs, and what goes unevaluated is named.
TEST(ClusterEvaluation, EvaluationDuringTrainingLeavesNoneOutUnsaidAndChangesNoByte) {
  const auto job = scratch() / "evaluated";
  const Outcome outcome = run(train_command(job, {"checkpoint.every_steps=4", "checkpoint.keep=2", "eval.beams=10",
                                                  "eval.during_training=true", "eval.during_training_users=100"}), 300);
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
  const Told told = told_of(job);
  const std::string log = io::read_file(job / "logs" / "coordinator.log").value();
  std::string best;
  for (const auto& folder : told.committed) {
    const bool dropped = log.find(folder + " goes without a validation result") != std::string::npos;
    EXPECT_NE(told.ndcg.count(folder) > 0, dropped) << folder << "\n" << outcome.output;
    if (dropped) { EXPECT_NE(outcome.output.find("removed before their turn"), std::string::npos) << outcome.output; }
    if (!dropped && (best.empty() || told.ndcg.at(folder) > told.ndcg.at(best))) best = folder;
  }
  EXPECT_GE(told.ndcg.size(), 4u);
  EXPECT_EQ(fs::read_symlink(ckpt::checkpoints_dir(job) / "best").string(), best);
  const auto there = ckpt::list_checkpoints(ckpt::checkpoints_dir(job), ckpt::Depth::kSizes).value();
  std::set<std::string> left;
  for (const auto& one : there) left.insert(one.dir.filename().string());
  std::set<std::string> kept{*told.committed.rbegin(), *std::next(told.committed.rbegin()), best};
  EXPECT_EQ(left, kept) << "the newest two and the best";
}

TEST(ClusterEvaluation, AKilledEvaluatorIsStartedAgainAndNoResultIsMissing) {
  const auto job = scratch() / "killed_evaluator";
  auto launcher = start("launcher", train_command(job, {"checkpoint.every_steps=10", "eval.beams=10", "train.epochs=4",
                                                        "eval.during_training=true", "eval.during_training_users=50"}),
                        scratch() / "killed_evaluator.log");
  const std::string follower = program("dyad") + '\0' + "eval" + '\0' + "--follow";
  pid_t killed = 0;
  for (const std::uint64_t step : {10, 20}) {
    ASSERT_TRUE(wait_for_step(job, step)) << ops::tail(launcher.log(), 20);
    pid_t pid = 0;
    ASSERT_TRUE(soon([&] { return (pid = process_of(job, follower)) > 0 && pid != killed; })) << "no evaluator";
    ASSERT_EQ(::kill(killed = pid, SIGKILL), 0);
  }
  EXPECT_TRUE(launcher.wait_for(150'000)) << ops::tail(launcher.log(), 20);
  EXPECT_EQ(launcher.poll(), 0) << ops::tail(launcher.log(), 20);
  const std::string said = io::read_file(launcher.log()).value();
  EXPECT_NE(said.find("the evaluator ended with code 137; starting it again"), std::string::npos) << said;
  const Told told = told_of(job);
  EXPECT_GE(told.committed.size(), 4u);
  for (const auto& folder : told.committed) EXPECT_EQ(told.ndcg.count(folder), 1u) << folder << "\n" << said;
  EXPECT_TRUE(processes_of(job).empty());
}

// Of one user, NDCG@10 is easily 1: it may not decide which checkpoint is the best.
TEST(ClusterEvaluation, AHandMadeEvaluationCountsForTheJobOnlyWithTheJobsOwnSettings) {
  const auto job = scratch() / "by_hand";
  const Sets sets{"eval.beams=10", "eval.during_training_users=100"};
  ASSERT_EQ(run(train_command(job, sets)).code, 0);
  const auto best = ckpt::checkpoints_dir(job) / "best", last = last_checkpoint(job);
  for (const Sets& other : {Sets{"--users", "1"}, Sets{"--set", "eval.beams=3"}, Sets{"--set", "eval.rank=own"}}) {
    const Outcome outcome = run({program("dyad"), "eval", last.string(), other[0], other[1]});
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("not the job's own evaluation"), std::string::npos) << outcome.output;
  }
  EXPECT_FALSE(fs::exists(last / "eval-validation.json"));
  EXPECT_TRUE(told_of(job).ndcg.empty());
  EXPECT_FALSE(fs::exists(best));
  // As versions before wrote it for whatever users.
  std::ofstream(last / "eval-validation.json") << R"({"checkpoint": ")" << last.filename().string() << R"(",
      "split": "validation", "users": 1, "beams": 10, "rank": "sum", "metrics": {"fusion/ndcg@10": 1.0}})";
  const auto there = ckpt::list_checkpoints(ckpt::checkpoints_dir(job), ckpt::Depth::kSizes).value();
  for (const auto& one : there) {
    const Outcome outcome = run({program("dyad"), "eval", one.dir.string()});
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("recorded"), std::string::npos) << outcome.output;
  }
  const Told told = told_of(job);
  ASSERT_EQ(told.ndcg.size(), 2u);
  const auto& [first, second] = std::pair(*told.ndcg.begin(), *told.ndcg.rbegin());
  EXPECT_LT(second.second, 1.0);
  EXPECT_EQ(fs::read_symlink(best).string(), second.second > first.second ? second.first : first.first);
}

// Zeros were printed, and recorded as the job's best, where there is nothing to measure.
TEST(ClusterEvaluation, WithoutAUserOfThreeEventsNothingIsMeasuredAndNothingRecorded) {
  const auto dyad = program("dyad"), data = (scratch() / "pairs").string();
  std::ofstream events(scratch() / "pairs.jsonl");
  for (int user = 0; user < 60; ++user)
    for (int event = 0; event < 2; ++event)
      events << R"({"user": "u)" << user << R"(", "item": "i)" << (user + event * 7) % 20 << R"(", "time": )" << event
             << "}\n";
  events.close();
  const std::string pairs = (scratch() / "pairs.jsonl").string();
  const Outcome imported = run({dyad, "import", "--format", "jsonl", pairs, "--out", data});
  ASSERT_EQ(imported.code, 0) << imported.output;
  EXPECT_NE(imported.output.find("no user has three interactions"), std::string::npos) << imported.output;
  ASSERT_EQ(run({dyad, "synth", "--out", (scratch() / "twenty").string(), "--users", "9", "--items", "20", "--events",
                 "90", "--vectors", "8"}).code, 0);
  for (const std::string stream : {"behaviour", "semantic"})
    ASSERT_EQ(run({dyad, "encode", "import", (scratch() / "twenty/vectors/semantic.safetensors").string(), "--data",
                   data, "--stream", stream, "--row-order", "catalogue"}).code, 0);
  ASSERT_EQ(run({dyad, "codes", "build", "--data", data, "--k", "5"}).code, 0);
  const auto job = scratch() / "pairs_job";
  const Outcome trained = run(train_command(job, {"job.data=" + data, "train.batch=8", "eval.during_training=true"}));
  ASSERT_EQ(trained.code, 0) << "a pair is a sample: " << trained.output;
  const Told told = told_of(job);
  EXPECT_FALSE(told.committed.empty());
  EXPECT_TRUE(told.ndcg.empty());
  EXPECT_FALSE(fs::exists(ckpt::checkpoints_dir(job) / "best"));
  EXPECT_NE(io::read_file(job / "logs" / "evaluation.log").value().find("no user has a validation item"),
            std::string::npos) << trained.output;
  const auto last = last_checkpoint(job);
  for (const std::string split : {"validation", "test"})
    for (const std::string ranks : {"1", "2"}) {
      const Outcome outcome = run({dyad, "eval", last.string(), "--split", split, "--ranks", ranks});
      EXPECT_EQ(outcome.code, static_cast<int>(Code::kInvalid)) << outcome.output;
      EXPECT_NE(outcome.output.find("no user has a " + split + " item"), std::string::npos) << outcome.output;
      EXPECT_EQ(outcome.output.find("recorded"), std::string::npos) << outcome.output;
      EXPECT_FALSE(fs::exists(ckpt::eval_file(last, split)));
    }
  const Outcome next = run({dyad, "recommend", last.string(), "--user", "u3", "--top", "3"});
  EXPECT_EQ(next.code, 0) << next.output;
}

}  // namespace
}  // namespace dyad::tests
