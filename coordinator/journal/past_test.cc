#include "coordinator/journal/past.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include "common/io/temp_folder.h"
#include "common/metrics/event_file.h"
#include "coordinator/journal/journal.h"
#include "coordinator/journal/start.h"

namespace dyad::coordinator {
namespace {

using testing::ElementsAre;
using nlohmann::json;

TEST(Pace, CountsTheLastMinuteAndBeginsAnewWhenTheJobGoesBack) {
  Pace pace;
  EXPECT_EQ(pace.steps_per_s(), 0);
  for (int s = 0; s <= 200; ++s) pace.at(s, Step{static_cast<std::uint64_t>(s < 100 ? 10 * s : 1000 + 2 * (s - 100))});
  EXPECT_NEAR(pace.steps_per_s(), 2, 1e-9);
  pace.at(201, Step{40});
  EXPECT_EQ(pace.steps_per_s(), 0);
  pace.at(202, Step{45});
  EXPECT_EQ(pace.steps_per_s(), 5);
}

class JobFolder : public testing::Test {
 protected:
  void write(const std::vector<std::pair<Entry, double>>& entries) {
    std::vector<std::string> ignored, records;
    auto journal = Journal::open(folder_.path() / kJournalName, ignored).value();
    for (const auto& [entry, time] : entries) records.push_back(encode(entry, time));
    ASSERT_TRUE(journal.append(records));
  }
  io::TempFolder folder_;
};

TEST_F(JobFolder, ItsJournalTellsCutsLossesAndResumesWithTheirTimes) {
  write({{RunStarted{.job = "a"}, 1000},
         {CutCommitted{Step{10}, {}, "step-0000000010", {}}, 1010},
         {Evaluated{"step-0000000010", "validation", {{"fusion/ndcg@10", 0.5}}}, 1012},
         {Evaluated{"step-0000000010", "test", {{"fusion/ndcg@10", 0.4}}}, 1013},
         {GenerationBegan{3, "worker 1 fell silent"}, 1020},
         {RunStarted{.job = "a", .resume = Step{10}}, 1030},
         {CutCommitted{Step{20}, {}, "step-0000000020", {}}, 0}});        // of a version without times
  const json past = past_of(folder_.path()).value();
  std::vector<std::string> kinds;
  for (const json& e : past.at("events")) kinds.push_back(e.at("kind"));
  EXPECT_THAT(kinds, ElementsAre("started", "checkpoint", "evaluated", "lost", "resumed", "checkpoint"));
  EXPECT_EQ(past.at("events")[3].at("text"), "worker 1 fell silent");
  EXPECT_EQ(past.at("events")[3].at("step"), 10) << "where it goes back to";
  EXPECT_EQ(past.at("events")[4].at("time"), 1030.0);
  EXPECT_TRUE(past.at("events")[5].at("time").is_null());
  EXPECT_EQ(past.at("restarts"), 2);
  EXPECT_EQ(past.at("evaluations").size(), 2u);
  EXPECT_TRUE(past.at("last_checkpoint_time").is_null());
}

TEST_F(JobFolder, ALookAtTheJournalNeitherLocksNorAltersIt) {
  write({{RunStarted{.job = "a"}, 1000}});
  std::vector<std::string> ignored;
  const auto owner = Journal::open(folder_.path() / kJournalName, ignored);
  ASSERT_TRUE(owner);
  std::ofstream(folder_.path() / kJournalName, std::ios::app) << "torn";
  const auto bytes = std::filesystem::file_size(folder_.path() / kJournalName);
  EXPECT_EQ(History::read(folder_.path()).value().events().size(), 1u);
  EXPECT_EQ(std::filesystem::file_size(folder_.path() / kJournalName), bytes);
}

TEST_F(JobFolder, AFreshRunInItHasNoEventsOfTheOneBefore) {
  write({{RunStarted{.job = "a"}, 1000}, {GenerationBegan{2, "x"}, 1001}, {RunStarted{.job = "a"}, 1002}});
  const History history = History::read(folder_.path()).value();
  EXPECT_EQ(history.events().size(), 1u);
  EXPECT_EQ(history.restarts(), 0u);
}

TEST_F(JobFolder, ValidationResultsBecomeOneSeriesOfEventsWhereTrainingHasOne) {
  write({{RunStarted{.job = "a"}, 1000},
         {Evaluated{"step-0000000010", "validation", {{"fusion/ndcg@10", 0.5}}}, 1012},
         {Evaluated{"step-0000000010", "test", {{"fusion/ndcg@10", 0.1}}}, 1013},
         {Evaluated{"step-0000000020", "validation", {{"fusion/ndcg@10", 0.25}}}, 1022}});
  Evaluations evaluations;
  const auto records = read_journal(folder_.path() / kJournalName).value();
  const auto entries = decode_entries(records, "").value();
  for (const Entry& entry : entries) evaluations.apply(entry);
  const auto history = History::read(folder_.path()).value();
  const auto folder = folder_.path() / metrics::kEventFolder;
  ASSERT_TRUE(write_validation_events(folder_.path(), evaluations, history));
  EXPECT_FALSE(std::filesystem::exists(folder)) << "train.tensorboard = false";
  std::filesystem::create_directories(folder);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(write_validation_events(folder_.path(), evaluations, history));
  const auto events = metrics::read_events(folder / metrics::kValidationFolder).value();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].step, Step{20});
  EXPECT_EQ(events[1].wall_time, 1022.0);
  EXPECT_EQ(events[1].scalars.at("fusion/ndcg@10"), 0.25);
}

TEST_F(JobFolder, WithoutAStepLogTheCurveIsWhatWorkerZeroReports) {
  Past past(folder_.path());
  past.note(1, Step{5}, {{"loss", 3}, {"samples_per_s", 100}, {"rows", 9}});
  past.note(2, Step{9}, {{"loss", 2}, {"samples_per_s", 110}});
  past.note(3, Step{4}, {{"loss", 2.5}, {"samples_per_s", 90}});          // went back
  const json shown = past.to_json();
  EXPECT_EQ(shown.at("curves"), json::parse(R"({"step":[4],"loss":[2.5]})"));
  EXPECT_EQ(shown.at("speed").at("samples_per_s"), json::parse("[90.0]"));
}

}  // namespace
}  // namespace dyad::coordinator
