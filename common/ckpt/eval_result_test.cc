#include "common/ckpt/eval_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include "common/ckpt/manifest.h"
#include "common/config/config.h"
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "common/tables/tables_for_test.h"

namespace dyad::ckpt {
namespace {

using testing::HasSubstr;

class EvalResultTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.job.data = "data";
    config_.eval.beams = 20;
    commit("1");
    say(config_);
  }
  void commit(const std::string& loss) {
    (void)io::write_file_atomic(checkpoint_ / kConfigName, config::to_toml(config_)).value();
    Manifest manifest{.job = "j", .step = Step{7}, .dataset_digest = 9, .tables = tables_for_test()};
    manifest.config_digest = config::result_digest(config_);
    manifest.facts = {{"loss", loss}};
    digest_ = write_manifest(checkpoint_, manifest).value();
  }
  void say(const config::Config& job) {            // what the job's settings are now
    (void)io::write_file_atomic(folder_ / kConfigName, config::to_toml(job)).value();
  }
  EvalOrigin own() const {
    return {checkpoint_.filename().string(), "validation", config::eval_settings(config_, "validation"), digest_, 9,
            config::result_digest(config_)};
  }
  void keep(const EvalOrigin& origin) {
    auto json = to_json(origin);
    json["metrics"] = {{"fusion/ndcg@10", 0.5}};
    (void)io::write_file_atomic(eval_file(checkpoint_, "validation"), json.dump()).value();
  }
  Result<EvalResult> read() { return read_own_result(checkpoint_, "validation"); }

  io::TempFolder folder_;
  const std::filesystem::path checkpoint_ = folder_ / "checkpoints" / "step-0000000007";
  config::Config config_;
  std::uint64_t digest_ = 0;
};

TEST_F(EvalResultTest, TheJobsOwnIsRead) {
  EXPECT_EQ(read().error().code, Code::kNotFound);
  keep(own());
  EXPECT_EQ(read().value().metrics.at("fusion/ndcg@10"), 0.5);
  EXPECT_EQ(read().value().origin.manifest, digest_);
}

TEST_F(EvalResultTest, ThatNamesTheMergedListByItsRuleAloneIsReadWithTheNamesOfNow) {
  auto json = to_json(own());
  json["metrics"] = {{"fusion/ndcg@10", 0.5}, {"sum/ndcg@10", 0.5}, {"own/ndcg@10", 0.25}, {"semantic/ndcg@10", 0.125}};
  ASSERT_TRUE(io::write_file_atomic(eval_file(checkpoint_, "validation"), json.dump()));
  EXPECT_EQ(read().value().metrics, (EvalMetrics{{"fusion/ndcg@10", 0.5},
                                                 {"fusion-sum/ndcg@10", 0.5},
                                                 {"fusion-own/ndcg@10", 0.25},
                                                 {"semantic/ndcg@10", 0.125}}));
}

TEST_F(EvalResultTest, OneOfWhatTheCheckpointHeldBeforeIsNotRead) {
  keep(own());
  commit("2");                                     // the same step again, with other weights
  EXPECT_THAT(read().error().message, HasSubstr("held something else"));
}

TEST_F(EvalResultTest, OneMadeWithOtherSettingsThanTheJobHasNowIsNotRead) {
  keep(own());
  config::Config now = config_;
  now.eval.beams = 50;                             // between a stop and a resume
  say(now);
  EXPECT_THAT(read().error().message, HasSubstr("20 beams, the job has 50"));
  auto origin = own();
  origin.settings.beams = 50;
  keep(origin);
  EXPECT_TRUE(read().has_value()) << "evaluated again";
  origin.dataset = 8;
  EXPECT_EQ(what_is_other(origin, checkpoint_).value(), "another dataset");
}

TEST_F(EvalResultTest, ACheckpointThatLiesInNoJobHasItsOwnSettings) {
  std::filesystem::rename(checkpoint_, folder_ / "step-0000000007");
  EXPECT_EQ(what_is_other(own(), folder_ / "step-0000000007").value(), "");
}

TEST_F(EvalResultTest, OneOfVersionsBeforeIsNotRead) {
  std::ofstream(eval_file(checkpoint_, "validation"))
      << R"({"checkpoint": "step-0000000007", "split": "validation", "beams": 20, "rank": "sum", "metrics": {}})";
  EXPECT_THAT(read().error().message, HasSubstr("not a result of this version"));
}

}  // namespace
}  // namespace dyad::ckpt
