#include "common/ckpt/staging.h"

#include <fstream>
#include <set>
#include <gtest/gtest.h>
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"

namespace dyad::ckpt {
namespace {

namespace fs = std::filesystem;

class StagingTest : public testing::Test {
 protected:
  void put(const fs::path& path, const std::string& text = "x") {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::set<std::string> names(const fs::path& dir) {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(dir))
      if (!entry.is_directory()) found.insert(entry.path().lexically_relative(dir).string());
    return found;
  }
  io::TempFolder folder_;
  const fs::path dir_ = folder_ / "checkpoints";
  const Fence fence_{RunId{0xabc}, RoutingEpoch{2}};
};

using Names = std::set<std::string>;

TEST_F(StagingTest, AFolderOfAnotherRunOrGenerationIsAnother) {
  EXPECT_EQ(staging_folder("c", Step{12}, fence_).string(), "c/.step-0000000012.0000000000000abc.2");
  EXPECT_NE(staging_folder("c", Step{12}, {RunId{0xabc}, RoutingEpoch{3}}), staging_folder("c", Step{12}, fence_));
  EXPECT_NE(staging_folder("c", Step{12}, {RunId{0xabd}, RoutingEpoch{2}}), staging_folder("c", Step{12}, fence_));
}

TEST_F(StagingTest, PublishedItHoldsWhatItsManifestNamesAndNothingElse) {
  const fs::path staged = staging_folder(dir_, Step{12}, fence_);
  for (const char* name : {"rows/g0000.rows", "dense.safetensors", kManifestName, "rows/.g0001.rows.tmp-77-0"})
    put(staged / name);
  put(dir_ / "step-0000000012" / "eval-validation.json");   // of a checkpoint that is none
  ASSERT_TRUE(publish(dir_, Step{12}, fence_, {"rows/g0000.rows", "dense.safetensors"}).has_value());
  EXPECT_EQ(names(dir_ / "step-0000000012"), (Names{"dense.safetensors", kManifestName, "rows/g0000.rows"}));
  EXPECT_FALSE(fs::exists(staged));
}

TEST_F(StagingTest, NoListOfCheckpointsShowsWhatIsStaged) {
  put(staging_folder(dir_, Step{12}, fence_) / kManifestName);
  EXPECT_TRUE(list_checkpoints(dir_, Depth::kSizes).value().empty());
  EXPECT_EQ(newest_valid(dir_).error().code, Code::kNotFound);
}

TEST_F(StagingTest, TheSweepLeavesLaterCutsOfTheLivingAlone) {
  const Fence old_run{RunId{0xdef}, RoutingEpoch{2}}, old_generation{RunId{0xabc}, RoutingEpoch{1}};
  for (const Fence& fence : {fence_, old_run, old_generation})
    for (const std::uint64_t step : {10, 20, 30}) put(staging_folder(dir_, Step{step}, fence) / "rows/g0000.rows");
  put(dir_ / "step-0000000010" / kManifestName);
  sweep_staging(dir_, {fence_, Step{20}});
  EXPECT_EQ(names(dir_),
            (Names{".step-0000000030.0000000000000abc.2/rows/g0000.rows", "step-0000000010/manifest.json"}));
}

TEST_F(StagingTest, TemporariesOfKilledWritersAreSwept) {
  for (const char* name : {"step-0000000010/.eval-test.json.tmp-77-0", "step-0000000010/rows/.g0000.rows.tmp-77-1",
                           ".best.77", "step-0000000010/manifest.json", "step-0000000010/.keep"})
    put(dir_ / name);
  sweep_temporaries(dir_);
  EXPECT_EQ(names(dir_), (Names{"step-0000000010/.keep", "step-0000000010/manifest.json"}));
}

}  // namespace
}  // namespace dyad::ckpt
