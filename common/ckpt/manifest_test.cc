#include "common/ckpt/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/diff.h"
#include "common/ckpt/rows_file.h"
#include "common/ckpt/rows_writer.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"
#include "common/tables/tables_for_test.h"

namespace dyad::ckpt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Content {
  float row = 1.0f, weight = 2.0f;
  std::string config = "[job]\n";
  std::uint64_t semantic_vectors = 8;
};

void append(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::app) << text; }

// One group, two rows of table item, one tensor.
fs::path make_checkpoint(const fs::path& checkpoints, Step step, const Content& content = {}) {
  const fs::path dir = checkpoints / folder_name(step);
  auto rows = RowsWriter::create(dir / rows_file_name(GroupId{0}),
                                 {step, GroupId{0}, 1, 1, {{TableId{0}, 2, 1, "adagrad"}}})
                  .value();
  const float one[] = {content.row, 2, 3}, two[] = {4, 5, 6};
  const std::vector<RowRef> refs{{RowKey{7}, 1, one}, {RowKey{9}, 1, two}};
  CHECK(rows.section(BucketId{0}, TableId{0}, refs).has_value());
  const auto row_facts = rows.finish().value();
  const std::vector<float> weights{content.weight, 1};
  const auto dense =
      io::write_safetensors(dir / "dense.safetensors", {{"w", io::make_tensor<float>({2}, weights)}}).value();
  const auto config = io::write_file_atomic(dir / kConfigName, content.config).value();
  Manifest m{.job = "test",
             .step = step,
             .epoch = 1,
             .next_batch = 2,
             .config_digest = 3,
             .dataset_digest = 4,
             .catalogue = 9,
             .codes = {{"behaviour", 5}, {"semantic", 6}},
             .vectors = {{"behaviour", 7}, {"semantic", content.semantic_vectors}},
             .groups = 1,
             .tables = tables_for_test(),
             .files = {{"rows/g0000.rows", row_facts.bytes, row_facts.digest},
                       {"dense.safetensors", dense.bytes, dense.digest},
                       {kConfigName, config.bytes, config.digest}},
             .facts = {{"loss", "1.5"}}};
  CHECK(write_manifest(dir, m).has_value());
  return dir;
}

void flip_byte(const fs::path& file, std::streamoff at) {
  std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
  f.seekg(at);
  const char c = static_cast<char>(f.get() ^ 1);
  f.seekp(at);
  f.put(c);
}

TEST(Manifest, WhatIsWrittenIsReadAndVerifies) {
  const io::TempFolder folder;
  const fs::path dir = make_checkpoint(folder.path(), Step{12});
  EXPECT_EQ(dir.filename(), "step-0000000012");
  const auto m = verify(dir, Depth::kDigests);
  ASSERT_TRUE(m.has_value()) << m.error().message;
  EXPECT_EQ(m.value().step, Step{12});
  EXPECT_EQ(m.value().next_batch, 2u);
  EXPECT_EQ(m.value().codes.at("semantic"), 6u);
  EXPECT_EQ(m.value().vectors.at("semantic"), 8u);
  EXPECT_EQ(m.value().catalogue, 9u);
  EXPECT_TRUE(read_manifest_of(dir, m.value().digest));
  EXPECT_THAT(read_manifest_of(dir, m.value().digest ^ 1).error().message, HasSubstr("has changed meanwhile"));
  EXPECT_EQ(m.value().files.size(), 3u);
  EXPECT_EQ(m.value().facts.at("loss"), "1.5");
}

TEST(Manifest, AFileThatIsAlteredShortenedOrMissingIsNamed) {
  const io::TempFolder folder;
  const fs::path dir = make_checkpoint(folder.path(), Step{1});
  flip_byte(dir / "dense.safetensors", static_cast<std::streamoff>(fs::file_size(dir / "dense.safetensors")) - 1);
  EXPECT_TRUE(verify(dir, Depth::kSizes).has_value());
  EXPECT_THAT(verify(dir, Depth::kDigests).error().message, HasSubstr("dense.safetensors: altered"));
  fs::resize_file(dir / "dense.safetensors", 20);
  EXPECT_THAT(verify(dir, Depth::kSizes).error().message, HasSubstr("dense.safetensors: 20 bytes"));
  fs::remove(dir / "dense.safetensors");
  EXPECT_THAT(verify(dir, Depth::kSizes).error().message, HasSubstr("dense.safetensors: missing"));
}

TEST(Manifest, AnEditByHandIsSeen) {
  const io::TempFolder folder;
  const fs::path dir = make_checkpoint(folder.path(), Step{1});
  auto text = io::read_file(dir / kManifestName).value();
  text.replace(text.find("\"next_batch\": 2"), 15, "\"next_batch\": 3");
  std::ofstream(dir / kManifestName) << text;
  EXPECT_THAT(read_manifest(dir).error().message, HasSubstr("altered"));
}

TEST(Manifest, OneOfAnOlderVersionIsRefusedForItsRowsHadOtherKeys) {
  const io::TempFolder folder;
  const fs::path dir = make_checkpoint(folder.path(), Step{1});
  auto j = nlohmann::json::parse(io::read_file(dir / kManifestName).value());
  j["version"] = 1;
  std::ofstream(dir / kManifestName) << j.dump();
  const auto error = read_manifest(dir).error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_THAT(error.message, HasSubstr("manifest version 1, this program knows version 2: written by an older Dyad"));
  EXPECT_EQ(list_checkpoints(folder.path(), Depth::kSizes).value().at(0).state, State::kDamaged);
}

TEST(Manifest, TablesThatMakeNoSenseAreRefused) {
  const io::TempFolder folder;
  const fs::path dir = make_checkpoint(folder.path(), Step{1});
  auto j = nlohmann::json::parse(io::read_file(dir / kManifestName).value());
  j["tables"][1]["width"] = 0;
  j.erase("digest");
  j["digest"] = hex64(digest64(j.dump()));
  std::ofstream(dir / kManifestName) << j.dump(1);
  EXPECT_THAT(read_manifest(dir).error().message, HasSubstr("table code.behaviour has rows of 0 floats"));
}

TEST(Manifest, AVersionFromTomorrowIsRefusedNamingBoth) {
  const io::TempFolder folder;
  const fs::path dir = make_checkpoint(folder.path(), Step{1});
  auto j = nlohmann::json::parse(io::read_file(dir / kManifestName).value());
  j["version"] = 7;
  std::ofstream(dir / kManifestName) << j.dump();
  const auto error = read_manifest(dir).error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_THAT(error.message, HasSubstr("manifest version 7, this program knows version 2: written by a newer Dyad"));
  EXPECT_EQ(list_checkpoints(folder.path(), Depth::kSizes).value().at(0).state, State::kNewer);
}

TEST(Manifest, OneThatIsNestedDeepIsRefusedAndDoesNotOverflowTheStack) {
  const io::TempFolder folder;
  const std::string nest = std::string(300'000, '[') + std::string(300'000, ']');
  std::ofstream(folder / kManifestName) << "{\"version\":2,\"digest\":\"0000000000000000\",\"facts\":" + nest + "}";
  const auto error = read_manifest(folder.path()).error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_THAT(error.message, HasSubstr("nested deeper than a manifest is"));
}

TEST(Manifest, EveryTruncationIsRefused) {
  const io::TempFolder folder;
  const fs::path dir = make_checkpoint(folder.path(), Step{1});
  const auto text = io::read_file(dir / kManifestName).value();
  for (std::size_t n = 0; n + 2 < text.size(); n += 3) {
    std::ofstream(dir / kManifestName) << text.substr(0, n);
    EXPECT_FALSE(read_manifest(dir).has_value()) << n;
  }
}

TEST(Checkpoints, TheNewestValidOneIsChosenAndTheOthersAreListedWithTheirProblem) {
  const io::TempFolder folder;
  for (const std::uint64_t step : {10, 20, 30, 40}) make_checkpoint(folder.path(), Step{step});
  flip_byte(folder / "step-0000000030/rows/g0000.rows", 60);
  fs::remove(folder / "step-0000000040/manifest.json");
  const auto list = list_checkpoints(folder.path(), Depth::kDigests).value();
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[1].state, State::kValid);
  EXPECT_EQ(list[2].state, State::kDamaged);
  EXPECT_THAT(list[2].problem, HasSubstr("rows/g0000.rows"));
  EXPECT_EQ(list[3].state, State::kIncomplete);
  EXPECT_EQ(newest_valid(folder.path()).value().step, Step{20});
  EXPECT_EQ(newest_valid(folder / "nothing").error().code, Code::kNotFound);
}

// As a stale handle of a shared disk: the program ended by std::terminate.
TEST(Checkpoints, AFolderThatTheSystemCannotLookAtIsAnErrorAndNoException) {
  io::TempFolder folder;
  fs::create_symlink("step-0000000007", folder / "step-0000000007");
  EXPECT_EQ(list_checkpoints(folder.path(), Depth::kSizes).error().code, Code::kFailed);
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THAT(newest_valid(folder / "loop", nullptr).error().message, testing::HasSubstr("loop"));
}

TEST(Checkpoints, AFolderRenamedToAnotherStepIsNotTaken) {
  const io::TempFolder folder;
  fs::rename(make_checkpoint(folder.path(), Step{10}), folder / "step-0000000099");
  EXPECT_EQ(newest_valid(folder.path()).error().code, Code::kNotFound);
}

TEST(Checkpoints, BestIsReplacedAndRemovingLeavesNothing) {
  const io::TempFolder folder;
  for (const std::uint64_t step : {10, 20}) {
    make_checkpoint(folder.path(), Step{step});
    ASSERT_TRUE(point_best(folder.path(), Step{step}).has_value());
  }
  EXPECT_EQ(read_manifest(folder / "best").value().step, Step{20});
  ASSERT_TRUE(remove_checkpoint(folder / "step-0000000010").has_value());
  EXPECT_FALSE(fs::exists(folder / "step-0000000010"));
  EXPECT_EQ(read_manifest(folder / "best").value().step, Step{20});
  ASSERT_TRUE(remove_checkpoint(folder / "step-0000000020").has_value());
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(folder / "best"))) << "no link to nothing";
}

TEST(Diff, EqualButForPlacesIsEqual) {
  const io::TempFolder folder;
  const auto a = make_checkpoint(folder / "a", Step{5}),
             b = make_checkpoint(folder / "b", Step{5}, {.config = "[job]\ndir = \"b\"\n"});
  const auto report = diff(a, b).value();
  EXPECT_TRUE(report.equal());
  EXPECT_EQ(report.notes.size(), 1u);
}

TEST(Diff, ADifferentRowAndTensorAreNamedWithTheirDistance) {
  const io::TempFolder folder;
  const auto a = make_checkpoint(folder / "a", Step{5}),
             b = make_checkpoint(folder / "b", Step{5}, {.row = 1.25f, .weight = 4});
  const auto report = diff(a, b).value();
  ASSERT_EQ(report.differences.size(), 2u);
  EXPECT_EQ(report.differences[0].where, "dense.safetensors: w");
  EXPECT_EQ(report.differences[0].max_abs, 2);
  EXPECT_EQ(report.differences[1].where, "rows/g0000.rows: table item");
  EXPECT_THAT(report.differences[1].what,
              HasSubstr("1 of 2 rows differ, 0 only in the first, 0 only in the second; first at key 7"));
  EXPECT_EQ(report.differences[1].max_abs, 0.25);
}

TEST(Diff, OtherVectorsAreADifference) {
  const io::TempFolder folder;
  const auto a = make_checkpoint(folder / "a", Step{5}),
             b = make_checkpoint(folder / "b", Step{5}, {.semantic_vectors = 9});
  ASSERT_EQ(diff(a, b).value().differences.size(), 1u);
  EXPECT_EQ(diff(a, b).value().differences[0].what, "other item vectors");
}

TEST(Diff, ADamagedCheckpointIsNotCompared) {
  const io::TempFolder folder;
  const auto a = make_checkpoint(folder / "a", Step{5}), b = make_checkpoint(folder / "b", Step{5});
  append(b / "dense.safetensors", "x");
  EXPECT_EQ(diff(a, b).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace dyad::ckpt
