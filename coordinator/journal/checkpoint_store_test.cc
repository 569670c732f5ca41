#include "coordinator/journal/checkpoint_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/ckpt/checkpoint_list.h"
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "common/tables/tables_for_test.h"

namespace dyad::coordinator {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CheckpointStoreTest : public testing::Test {
 protected:
  // What a process of `fence` writes of the cut at `step`.
  wire::FilePart stage(const ckpt::Fence& fence, Step step, const std::string& name, const std::string& text) {
    const auto facts = io::write_file_atomic(ckpt::staging_folder(dir_, step, fence) / name, text).value();
    return {name, facts.bytes, facts.digest};
  }
  PendingCut cut_of(const ckpt::Fence& fence, Step step, const std::string& text) {
    PendingCut cut{.step = step, .worker_came = true};
    cut.servers[0] = {stage(fence, step, "rows/g0000.rows", text)};
    cut.worker = {stage(fence, step, "dense.safetensors", text)};
    return cut;
  }
  std::string rows(Step step) { return io::read_file(dir_ / ckpt::folder_name(step) / "rows/g0000.rows").value(); }
  ckpt::State state(Step step) {
    const auto found = ckpt::list_checkpoints(dir_, ckpt::Depth::kDigests).value();
    for (const auto& listed : found)
      if (listed.step == step) return listed.state;
    return ckpt::State::kIncomplete;
  }

  io::TempFolder folder_;
  const fs::path dir_ = ckpt::checkpoints_dir(folder_.path());
  const ckpt::Fence now_{RunId{7}, RoutingEpoch{3}}, before_{RunId{7}, RoutingEpoch{2}};
  const Tables tables_ = tables_for_test();
  CheckpointStore store_{folder_.path(), ckpt::Manifest{.job = "j", .groups = 1}, "[job]\n"};
};

TEST_F(CheckpointStoreTest, CommittedTwiceItIsTheSameCheckpoint) {   // a coordinator killed before its journal said so
  const PendingCut cut = cut_of(now_, Step{5}, "rows");
  const auto digest = store_.commit(cut, tables_, now_).value();
  EXPECT_EQ(state(Step{5}), ckpt::State::kValid);
  EXPECT_EQ(ckpt::read_manifest(dir_ / ckpt::folder_name(Step{5})).value().digest, digest);
  EXPECT_EQ(store_.commit(cut, tables_, now_).value(), digest);
  PendingCut other = cut;
  other.servers[0][0].digest ^= 1;
  EXPECT_THAT(store_.commit(other, tables_, now_).error().message, HasSubstr("its files are gone"));
}

TEST_F(CheckpointStoreTest, AServerThatWakesUpInAnotherGenerationTouchesNoFileOfACheckpoint) {
  (void)stage(before_, Step{5}, "rows/g0000.rows", "half");          // and then it stalls
  (void)store_.commit(cut_of(now_, Step{5}, "rows"), tables_, now_).value();
  EXPECT_FALSE(fs::exists(ckpt::staging_folder(dir_, Step{5}, before_))) << "swept";
  (void)stage(before_, Step{5}, "rows/g0000.rows", "zombie");
  EXPECT_EQ(rows(Step{5}), "rows");
  EXPECT_EQ(state(Step{5}), ckpt::State::kValid);
  (void)store_.commit(cut_of(now_, Step{6}, "rows"), tables_, now_).value();
  EXPECT_FALSE(fs::exists(ckpt::staging_folder(dir_, Step{5}, before_)));
}

TEST_F(CheckpointStoreTest, ADamagedCheckpointOfTheSameStepIsReplacedAsAWhole) {
  (void)store_.commit(cut_of(before_, Step{5}, "old"), tables_, before_).value();
  (void)io::write_file_atomic(dir_ / ckpt::folder_name(Step{5}) / "eval-validation.json", "{}").value();
  (void)io::write_file_atomic(dir_ / ckpt::folder_name(Step{5}) / "rows/g0000.rows", "damaged").value();
  (void)store_.commit(cut_of(now_, Step{5}, "new"), tables_, now_).value();
  EXPECT_EQ(rows(Step{5}), "new");
  EXPECT_EQ(state(Step{5}), ckpt::State::kValid);
  EXPECT_FALSE(fs::exists(dir_ / ckpt::folder_name(Step{5}) / "eval-validation.json")) << "of what it held";
}

TEST_F(CheckpointStoreTest, ACutWithAHoleIsNoCheckpoint) {
  PendingCut cut = cut_of(now_, Step{5}, "rows");
  cut.servers.clear();
  EXPECT_THAT(store_.commit(cut, tables_, now_).error().message, HasSubstr("no server wrote rows/g0000.rows"));
  EXPECT_EQ(state(Step{5}), ckpt::State::kIncomplete);
}

}  // namespace
}  // namespace dyad::coordinator
