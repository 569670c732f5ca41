// A new job that begins with the weights of another's checkpoint.
#include "coordinator/journal/init_from.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include "common/base/digest.h"
#include "common/io/atomic_file.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"
#include "common/tables/tables_for_test.h"
#include "coordinator/journal/start.h"
#include "coordinator/testing/test_plan.h"

namespace dyad::coordinator {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class InitFromTest : public testing::Test {
 protected:
  void SetUp() override {
    identity_ = {.dataset = 1, .catalogue = 2, .codes = {{"behaviour", 3}, {"semantic", 4}},
                 .vectors = {{"behaviour", 5}, {"semantic", 6}}, .widths = {{"behaviour", 8}, {"semantic", 16}}};
    source_.job.dir = (folder_ / "source").string();
    source_.model.dim = 64;
    write_source(identity_);
    config_ = source_;
    config_.job.dir = (folder_ / "next").string();
    config_.job.init_from = checkpoint().string();
  }
  fs::path checkpoint() const { return folder_ / "source/checkpoints/step-0000000005"; }
  // A checkpoint of the source, by one server.
  void write_source(const data::Identity& identity, const std::string& rows = "rows") {
    ckpt::Manifest manifest = job_facts(source_, identity).manifest;
    manifest.step = Step{5};
    manifest.tables = tables_for_test();
    const auto add = [&](const std::string& name, const io::FileFacts& written) {
      manifest.files.push_back({name, written.bytes, written.digest});
    };
    add("rows/g0000.rows", io::write_file_atomic(checkpoint() / "rows/g0000.rows", rows).value());
    add(ckpt::kConfigName, io::write_file_atomic(checkpoint() / ckpt::kConfigName, config::to_toml(source_)).value());
    const std::vector<float> weights(64 * 16);
    std::map<std::string, io::Tensor> dense;
    for (const auto& [stream, width] : identity.widths)
      dense["model." + stream + ".project.weight"] =
          io::make_tensor<float>({width, 64}, std::span(weights).first(64 * width));
    add("dense.safetensors", io::write_safetensors(checkpoint() / "dense.safetensors", dense).value());
    manifest_ = ckpt::write_manifest(checkpoint(), manifest).value();
  }
  Result<RunStarted> begin_job(StartMode mode) {
    TestPlan plan(10, 2);
    Coordinator core({.servers = 1, .workers = 2}, plan, store_);
    if (const auto journal = begin(config_.job.dir, mode, job_facts(config_, identity_), core, 0); !journal)
      return journal.error();
    return core.run();
  }
  Error refusal() { return given_weights(config_.job.init_from, job_facts(config_, identity_), depth_).error(); }
  io::TempFolder folder_;
  data::Identity identity_;
  config::Config source_, config_;
  ckpt::Depth depth_ = ckpt::Depth::kDigests;
  std::uint64_t manifest_ = 0;
  TestStore store_;
};

TEST_F(InitFromTest, EverybodyIsToldTheCheckpointUntilTheJobHasOneOfItsOwnAndEachManifestSaysIt) {
  const auto run = begin_job(StartMode::kFresh);
  ASSERT_TRUE(run) << run.error().message;
  TestPlan plan(10, 2);
  Coordinator core({.servers = 1, .workers = 1, .groups = 1, .leases = {.workers = 1, .epochs = 9}}, plan, store_);
  core.apply(run.value(), 0);
  Entries entries;
  const auto join = [&](const wire::Sender& who) {
    const wire::Register message{.address = "tcp://x", .tables = tables_for_test()};
    return as<wire::Registered>(core.handle(who, message, 0, entries)).value();
  };
  const auto of = [&](wire::Sender who) { return who.run = run.value().run, who; };
  const auto first = join(server(0));
  EXPECT_EQ(first.resume, Step{0});
  EXPECT_EQ(first.checkpoint, fs::canonical(checkpoint()).string());
  EXPECT_EQ(first.manifest, manifest_);
  (void)join(worker(0));
  store_.manifest = 77;
  wire::CutPart cut{Step{9}, {}, {{"epoch", "0"}, {"next_batch", "0"}}};
  for (const auto& who : {server(0, 1), worker(0, 1)}) (void)core.handle(of(who), cut, 0, entries);
  ASSERT_EQ(store_.committed.size(), 1u);
  EXPECT_EQ(store_.committed[0].first.facts.at(kInitFact),
            fmt::format("{} (manifest {})", fs::canonical(checkpoint()).string(), hex64(manifest_)));
  const auto again = join(server(0));
  EXPECT_EQ(again.resume, Step{9});
  EXPECT_EQ(again.checkpoint, store_.path(Step{9}));
  EXPECT_EQ(again.manifest, 77u);
}

TEST_F(InitFromTest, AJobThatIsLostBeforeItsFirstCutBeginsWithTheSameOrNotAtAll) {
  ASSERT_TRUE(begin_job(StartMode::kFresh));
  config_.job.init_from = "";                    // the journal tells
  const auto again = begin_job(StartMode::kResume);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again.value().manifest, manifest_);
  EXPECT_EQ(again.value().resume, Step{0});
  write_source(identity_, "others");
  const auto changed = begin_job(StartMode::kResume);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Code::kInvalid);
  EXPECT_THAT(changed.error().message, AllOf(HasSubstr("the job began with"), HasSubstr(hex64(manifest_)),
                                             HasSubstr("without --resume")));
  config_.job.init_from = checkpoint().string();
  ASSERT_TRUE(begin_job(StartMode::kFresh)) << "a new one may";
  fs::remove_all(config_.job.dir);
  config_.job.init_from = "";
  ASSERT_TRUE(begin_job(StartMode::kFresh));
  config_.job.init_from = checkpoint().string();
  const auto late = begin_job(StartMode::kResume);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, HasSubstr("the job began with drawn weights"));
}

TEST_F(InitFromTest, AJobWithACheckpointOfItsOwnGoesOnFromThatAndRemembersTheOther) {
  source_.job.init_from = "/gone";
  config_ = source_;
  auto manifest = ckpt::read_manifest(checkpoint()).value();
  manifest.facts[kInitFact] = "/gone (manifest 0)";
  manifest.groups = config_.servers.groups;
  ASSERT_TRUE(ckpt::write_manifest(checkpoint(), manifest));
  const auto run = begin_job(StartMode::kResume);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run.value().resume, Step{5});
  EXPECT_EQ(run.value().facts.at(kInitFact), "/gone (manifest 0)");
}

TEST_F(InitFromTest, OtherSettingsAndAnotherLogFitOthersOfTheModelAreNamedWithBothValues) {
  config_.train.lr = 0.5;
  config_.train.workers = 7;
  config_.job.seed = 9;
  config_.rows.optimizer = "sgd";
  config_.servers.groups = 2;
  config_.model.mask_rate = 0.1;
  identity_.dataset = 99;                        // a longer log
  identity_.vectors["semantic"] = 98;            // other vectors, as wide
  const auto fits = given_weights(checkpoint(), job_facts(config_, identity_), ckpt::Depth::kDigests);
  ASSERT_TRUE(fits) << fits.error().message;
  config_.model.dim = 32;
  config_.model.heads = 8;
  EXPECT_EQ(refusal().code, Code::kInvalid);
  EXPECT_THAT(refusal().message, AllOf(HasSubstr("model.dim (64, now 32)"), HasSubstr("model.heads (4, now 8)"),
                                       HasSubstr(checkpoint().string()), Not(HasSubstr("lr"))));
}

TEST_F(InitFromTest, RowsThatMeanOtherItemsOrCodesAreRefused) {
  auto other = identity_;
  std::swap(identity_.catalogue, other.dataset);
  EXPECT_THAT(refusal().message, AllOf(HasSubstr("another catalogue"), HasSubstr(hex64(2)), HasSubstr(hex64(1))));
  identity_.catalogue = 2;
  identity_.codes["semantic"] = 40;
  EXPECT_THAT(refusal().message, AllOf(HasSubstr("other item codes"), HasSubstr("semantic ("), HasSubstr(hex64(40))));
  identity_.codes["semantic"] = 4;
  identity_.vectors["semantic"] = 60;
  identity_.widths["semantic"] = 17;
  EXPECT_THAT(refusal().message, AllOf(HasSubstr("semantic vectors of 16 floats"), HasSubstr("have 17")));
}

TEST_F(InitFromTest, WhatIsDamagedNewerMissingOrOfTheJobItselfIsRefusedByName) {
  std::ofstream(checkpoint() / "rows/g0000.rows") << "rowz";
  EXPECT_EQ(refusal().code, Code::kInvalid);
  EXPECT_THAT(refusal().message, HasSubstr("g0000.rows: altered"));
  write_source(identity_);
  std::string text = io::read_file(checkpoint() / ckpt::kManifestName).value();
  text.replace(text.find("\"version\": 2"), 12, "\"version\": 3");
  std::ofstream(checkpoint() / ckpt::kManifestName) << text;
  EXPECT_THAT(refusal().message, HasSubstr("written by a newer Dyad"));
  write_source(identity_);
  config_.job.init_from = (folder_ / "nothing").string();
  EXPECT_EQ(refusal().code, Code::kNotFound);
  EXPECT_THAT(refusal().message, HasSubstr("nothing"));
  config_.job.init_from = checkpoint().string();
  for (const fs::path& dir : {folder_ / "source", checkpoint() / "next"}) {
    config_.job.dir = dir.string();
    EXPECT_EQ(refusal().code, Code::kInvalid);
    EXPECT_THAT(refusal().message, HasSubstr("lie one in the other"));
  }
}

}  // namespace
}  // namespace dyad::coordinator
