// A job that begins with the weights of another's checkpoint.
#include <gtest/gtest.h>
#include <signal.h>
#include <chrono>
#include <cmath>
#include <map>
#include <thread>
#include "common/base/result.h"
#include "common/ckpt/manifest.h"
#include "common/ckpt/rows_file.h"
#include "common/io/atomic_file.h"
#include "common/io/safetensors.h"
#include "common/metrics/step_log.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

// A rank of its own and two servers, adam.
const fs::path& source() {
  static const fs::path checkpoint = trained("init_source", {"train.workers=1", "train.max_steps=25"});
  return checkpoint;
}

std::vector<std::string> begin_command(const std::string& name, Sets sets = {}, const fs::path& from = source()) {
  auto argv = train_command(scratch() / name, std::move(sets));
  argv.insert(argv.end(), {"--init-from", from.string()});
  return argv;
}
fs::path begun(const std::string& name, Sets sets = {}) {
  const Outcome outcome = run(begin_command(name, std::move(sets)));
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  return last_checkpoint(scratch() / name);
}

struct Row { std::vector<float> value, slots; std::uint32_t count = 0; };
std::map<std::pair<TableId, std::uint64_t>, Row> rows_of(const fs::path& checkpoint) {
  std::map<std::pair<TableId, std::uint64_t>, Row> rows;
  const auto manifest = ckpt::read_manifest(checkpoint).value();
  for (const auto& part : manifest.files) {
    if (!part.path.starts_with("rows/")) continue;
    ckpt::RowsFile::open(checkpoint / part.path).value().for_each([&](const ckpt::RowView& row) {
      rows[{row.table, row.key.value}] = {{row.value.begin(), row.value.end()}, {row.slots.begin(), row.slots.end()},
                                          row.count};
    });
  }
  return rows;
}

// A step that moves no row, and dense weights by less than their last bits: what is there after it is the source's.
const Sets kOneStepInPlace{"train.max_steps=1", "train.lr=1e-30", "rows.lr_scale=0", "train.workers=2",
                           "servers.count=1", "servers.buckets=30", "servers.groups=3", "rows.optimizer=adagrad",
                           "job.seed=7", "train.batch=32", "model.mask_rate=0.3"};

TEST(ClusterInitFrom, WeightsAndRowsComeOverWithoutTheirMomentsForOtherServersRanksAndOptimizers) {
  const auto before = rows_of(source()), now = rows_of(begun("init_in_place", kOneStepInPlace));
  ASSERT_GT(before.size(), 100u);
  std::size_t updated = 0;
  for (const auto& [key, row] : before) {
    const auto found = now.find(key);
    ASSERT_NE(found, now.end()) << "table " << static_cast<int>(key.first) << " " << key.second;
    EXPECT_EQ(found->second.value, row.value);
    EXPECT_EQ(found->second.slots.size(), row.value.size()) << "of adagrad";
    EXPECT_LE(found->second.count, 1u);
    updated += found->second.count;
    if (found->second.count > 0) continue;
    for (const float slot : found->second.slots) EXPECT_EQ(slot, 0.0f);
  }
  EXPECT_GT(updated, 0u) << "the step had no row of the source";
  const auto theirs = io::Safetensors::open(source() / "dense.safetensors").value();
  const auto ours = io::Safetensors::open(last_checkpoint(scratch() / "init_in_place") / "dense.safetensors").value();
  ASSERT_EQ(theirs.tensors().size(), ours.tensors().size());
  for (const auto& [name, tensor] : theirs.tensors()) {
    if (!name.starts_with("model.")) continue;
    const auto a = theirs.floats(name).value(), b = ours.floats(name).value();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_LE(std::abs(a[i] - b[i]), 1e-25f) << name;
  }
}

TEST(ClusterInitFrom, TheCheckpointsSayWhereTheJobBeganAndItsFolderMayBeReadOnly) {
  for (const fs::path& dir : {source(), source() / "rows"}) fs::permissions(dir, fs::perms(0555));
  const auto before = fs::last_write_time(source());
  const auto checkpoint = begun("init_noted", {"train.max_steps=2"});
  EXPECT_EQ(fs::last_write_time(source()), before);
  for (const fs::path& dir : {source(), source() / "rows"}) fs::permissions(dir, fs::perms(0755));
  const Outcome shown = run({program("dyad"), "ckpt", "inspect", checkpoint.string()});
  const auto real = fs::canonical(source()).string();
  EXPECT_NE(shown.output.find("init_from      " + real + " (manifest "), std::string::npos) << shown.output;
  const Outcome resumed = run(train_command(scratch() / "init_noted", {"train.max_steps=4"}, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  const auto later = ckpt::read_manifest(last_checkpoint(scratch() / "init_noted")).value();
  EXPECT_EQ(later.step, Step{4});
  EXPECT_EQ(later.facts.at("init_from"), ckpt::read_manifest(checkpoint).value().facts.at("init_from"));
  EXPECT_NE(io::read_file(scratch() / "init_noted/config.toml").value().find(real), std::string::npos);
}

bool trains(const fs::path& job) {
  std::error_code none;
  const auto bytes = fs::file_size(job / metrics::kStepLogName, none);
  return !none && bytes > 0;
}

// No cut but the last: a job that is lost begins again, with the given weights.
const Sets kOneCut{"train.epochs=6", "checkpoint.every_epochs=0", "train.log_every=1"};
const fs::path& begun_undisturbed() {
  static const fs::path checkpoint = begun("init_undisturbed", kOneCut);
  return checkpoint;
}

TEST(ClusterInitFrom, AServerKilledBeforeTheFirstCutCostsNoByte) {
  ASSERT_FALSE(begun_undisturbed().empty());
  EXPECT_NE(difference(begun_undisturbed(), trained("init_without", kOneCut)), "") << "the weights decide nothing";
  const auto job = scratch() / "init_killed";
  auto child = start("init_killed", begin_command("init_killed", kOneCut), scratch() / "init_killed.log");
  EXPECT_TRUE(soon([&] { return trains(job); }));
  ASSERT_TRUE(last_checkpoint(job).empty());
  const pid_t server = process_of(job, "dyad-ps");
  ASSERT_GT(server, 0);
  ::kill(server, SIGKILL);
  EXPECT_TRUE(child.wait_for(100'000));
  EXPECT_EQ(child.poll(), 0) << ops::tail(child.log(), 20);
  EXPECT_NE(ops::tail(child.log(), 200).find("starting the job again"), std::string::npos) << "the kill went unnoticed";
  EXPECT_EQ(difference(begun_undisturbed(), last_checkpoint(job)), "");
}

TEST(ClusterInitFrom, ResumedBeforeTheFirstCutItBeginsWithTheSameThoughNobodySaysSo) {
  const auto job = scratch() / "init_resumed";
  auto argv = begin_command("init_resumed", kOneCut);
  argv.insert(argv.end(), {"--restarts", "0"});
  auto child = start("init_resumed", argv, scratch() / "init_resumed.log");
  EXPECT_TRUE(soon([&] { return trains(job); }));
  ::kill(process_of(job, "dyad-ps"), SIGKILL);
  EXPECT_TRUE(child.wait_for(100'000));
  EXPECT_NE(child.poll(), 0);
  ASSERT_TRUE(last_checkpoint(job).empty());
  const Outcome resumed = run(train_command(job, kOneCut, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(begun_undisturbed(), last_checkpoint(job)), "");
}

TEST(ClusterInitFrom, AnotherModelIsRefusedBeforeAnythingIsWritten) {
  const Outcome refused = run(begin_command("init_refused", {"model.dim=32", "model.ffn=64", "train.lr=0.5"}));
  EXPECT_EQ(refused.code, static_cast<int>(Code::kInvalid)) << refused.output;
  for (const char* key : {"model.dim (16, now 32)", "model.ffn (32, now 64)"})
    EXPECT_NE(refused.output.find(key), std::string::npos) << refused.output;
  EXPECT_EQ(refused.output.find("train.lr"), std::string::npos) << refused.output;
  EXPECT_FALSE(fs::exists(scratch() / "init_refused"));
  const auto job = source().parent_path().parent_path();
  const Outcome no_best = run(begin_command("init_refused", {}, job));
  EXPECT_EQ(no_best.code, static_cast<int>(Code::kInvalid)) << no_best.output;
  EXPECT_NE(no_best.output.find(source().string()), std::string::npos) << no_best.output;
  EXPECT_FALSE(fs::exists(scratch() / "init_refused"));
}

}  // namespace
}  // namespace dyad::tests
