#include "common/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include <map>
#include "common/base/random.h"
#include "common/data/catalogue.h"
#include "common/data/dataset_json.h"
#include "common/data/dataset_writer.h"
#include "common/data/epoch_plan.h"
#include "common/data/log_reader.h"
#include "common/data/samples.h"
#include "common/data/test_times.h"
#include "common/io/temp_folder.h"

namespace dyad::data {
namespace {

using testing::HasSubstr;

// Users of 1, 2, 3, 4, ... events, interleaved in time; user u's k-th event is item (u + k) % items at second 100 k +
// u.
Dataset make_dataset(const std::filesystem::path& dir, std::uint32_t users = 12, std::uint32_t partitions = 3) {
  DatasetWriterOptions options;
  options.log = {.partitions = partitions, .batch_events = 5, .segment_bytes = 100};
  DatasetWriter writer = DatasetWriter::create(dir, options).value();
  for (std::uint32_t k = 0; k < users; ++k)
    for (std::uint32_t u = k; u < users; ++u)
      CHECK(writer.append({UserId{u}, ItemId{(u + k) % 9}, 100 * k + u}).has_value());
  std::vector<Item> items;
  for (int i = 0; i < 9; ++i)
    items.push_back({fmt::format("key{}", i), "a \"title\"\\ é\t", i % 2 ? "" : "Brand", {{"A", "B"}, {"C"}}});
  std::vector<std::string> keys;
  for (std::uint32_t u = 0; u < users; ++u) keys.push_back(fmt::format("user {}", u));
  CHECK(writer.finish(items, keys).has_value());
  return Dataset::open(dir).value();
}

TEST(Dataset, WhatIsWrittenIsReadInTimeOrder) {
  const io::TempFolder folder;
  const Dataset dataset = make_dataset(folder / "d");
  EXPECT_EQ(dataset.users(), 12u);
  EXPECT_EQ(dataset.events(), 78u);
  const auto times = times_of_users(dataset);
  for (std::uint32_t u = 0; u < 12; ++u) {
    ASSERT_EQ(dataset.sequence(UserId{u}).size(), u + 1);
    for (std::uint32_t k = 0; k <= u; ++k) {
      EXPECT_EQ(dataset.sequence(UserId{u})[k], ItemId{(u + k) % 9});
      EXPECT_EQ(times[u][k], 100 * k + u);
      EXPECT_EQ(dataset.position(UserId{u}, k).partition, partition_of(UserId{u}, 3));
    }
  }
  EXPECT_EQ(dataset.item(ItemId{2}).title, "a \"title\"\\ é\t");
  EXPECT_EQ(dataset.item(ItemId{2}).categories, (std::vector<std::vector<std::string>>{{"A", "B"}, {"C"}}));
  EXPECT_EQ(dataset.user_key(UserId{11}), "user 11");
}

TEST(Dataset, DigestDependsOnContentNotOnPlace) {
  const io::TempFolder folder;
  EXPECT_EQ(make_dataset(folder / "a").digest(), make_dataset(folder / "b").digest());
  EXPECT_NE(make_dataset(folder / "a2", 11).digest(), make_dataset(folder / "b2", 12).digest());
}

TEST(Samples, LeaveOneOutKeepsUsersOfShortHistories) {
  const io::TempFolder folder;
  const Dataset dataset = make_dataset(folder / "d");
  std::map<std::uint32_t, std::vector<std::uint32_t>> train, valid, test;
  for (const Sample& s : samples(dataset, Split::kTrain)) train[s.user.value].push_back(s.target);
  for (const Sample& s : samples(dataset, Split::kValidation)) valid[s.user.value].push_back(s.target);
  for (const Sample& s : samples(dataset, Split::kTest)) test[s.user.value].push_back(s.target);
  EXPECT_EQ(train.count(0), 0u);                                        // 1 event: nothing to predict
  EXPECT_EQ(train[1], std::vector<std::uint32_t>{1});                   // 2 events: all of it trains
  EXPECT_EQ(valid.count(1) + test.count(1), 0u);
  EXPECT_EQ(train.count(2), 0u);                                        // 3 events: nothing is left to train on ...
  EXPECT_EQ(valid[2], std::vector<std::uint32_t>{1});                   // ... and both targets are kept
  EXPECT_EQ(test[2], std::vector<std::uint32_t>{2});
  EXPECT_EQ(train[3], std::vector<std::uint32_t>{1});
  EXPECT_EQ(train[6], (std::vector<std::uint32_t>{1, 2, 3, 4}));
  EXPECT_EQ(valid.size(), 10u);
  EXPECT_EQ(test.size(), 10u);
  EXPECT_EQ(test[11], std::vector<std::uint32_t>{11});
}

TEST(Samples, ComeInLogOrderAndNameTheirEvent) {
  const io::TempFolder folder;
  const Dataset dataset = make_dataset(folder / "d");
  const std::vector<Sample> all = samples(dataset, Split::kTrain);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(dataset.position(all[i].user, all[i].target), all[i].position);
    if (i > 0) { EXPECT_LT(all[i - 1].position, all[i].position); }
  }
}

// A position names an event of the log, whatever order the users are kept in.
TEST(Dataset, PositionsAreThoseOfTheLog) {
  const io::TempFolder folder;
  const Dataset dataset = make_dataset(folder / "d", 40, 7);
  const auto log = open_directory_log(folder / "d/log").value();
  std::vector<std::size_t> next(dataset.users());
  for (std::uint32_t p = 0; p < 7; ++p)
    ASSERT_TRUE(log->read(PartitionId{p}, 0, log->end(PartitionId{p}).value(), [&](std::uint64_t first, auto events) {
                     for (std::size_t i = 0; i < events.size(); ++i) {
                       const std::size_t k = next[events[i].user.value]++;
                       EXPECT_EQ(dataset.sequence(events[i].user)[k], events[i].item);
                       EXPECT_EQ(dataset.position(events[i].user, k),
                                 (Position{PartitionId{p}, static_cast<std::uint32_t>(first + i)}));
                     }
                     return ok();
                   }).has_value());
  for (std::uint32_t u = 0; u < dataset.users(); ++u) EXPECT_EQ(next[u], dataset.sequence(UserId{u}).size());
}

// The samples of one small log to the bit, as they were before positions were packed.
TEST(Samples, OrderAndChecksumsStayWhatTheyWere) {
  const io::TempFolder folder;
  const Dataset dataset = make_dataset(folder / "d", 40, 7);
  std::uint64_t order = 0, sum = 0;
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
    for (const Sample& s : samples(dataset, split)) {
      order = mix64(mix64(order, s.user.value, s.target), s.position.partition.value, s.position.offset);
      sum += sample_checksum(s.position);
    }
  EXPECT_EQ(order, 0xef1dbda43b1bb7f9u);
  EXPECT_EQ(sum, 0xf9eafc1ad1fbebfau);
}

TEST(History, HoldsTheItemsBeforeTheTargetAtMostHistoryMax) {
  const io::TempFolder folder;
  const Dataset dataset = make_dataset(folder / "d");
  const Sample sample{UserId{11}, 8, {}};
  const auto items = history(dataset, sample, 3);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0], ItemId{(11 + 5) % 9});
  EXPECT_EQ(items[2], ItemId{(11 + 7) % 9});
  EXPECT_EQ(history(dataset, sample, 20).size(), 8u);
}

TEST(Dataset, AlteredCatalogueListOrLogIsNamed) {
  const io::TempFolder folder;
  make_dataset(folder / "d");
  for (const char* name : {"catalogue.jsonl", "users.txt", "dataset.json", "log/p0001/00000000.seg"}) {
    const std::string whole = io::read_file(folder / "d" / name).value();
    std::string altered = whole;
    altered[altered.size() / 2] ^= 1;
    std::ofstream(folder / "d" / name, std::ios::binary) << altered;
    const auto opened = Dataset::open(folder / "d");
    ASSERT_FALSE(opened.has_value()) << name;
    EXPECT_EQ(opened.error().code, Code::kInvalid);
    EXPECT_THAT(opened.error().message, HasSubstr(name));
    std::ofstream(folder / "d" / name, std::ios::binary) << whole;
  }
  EXPECT_TRUE(Dataset::open(folder / "d").has_value());
  EXPECT_EQ(Dataset::open(folder / "nowhere").error().code, Code::kNotFound);
}

TEST(Dataset, MoreEventsThanTheLogHoldsAreAnErrorAndNoAllocation) {
  const io::TempFolder folder;
  make_dataset(folder / "d");
  const std::filesystem::path file = folder / "d/dataset.json";
  DatasetFacts facts = parse_dataset_json(io::read_file(file).value(), "x").value();
  facts.events += (std::uint64_t{1} << 62) - facts.partition_end[0];
  facts.partition_end[0] = std::uint64_t{1} << 62;
  std::ofstream(file) << to_json(facts);
  const auto opened = Dataset::open(folder / "d");
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().message, HasSubstr("the log ends at offset"));
  EXPECT_EQ(opened.error().code, Code::kInvalid);
}

// They were codes 3 and 2, and a script that imports again on 2 did not.
TEST(Dataset, ASegmentThatIsEmptiedCutOrGoneIsTheSameKindOfDamage) {
  const io::TempFolder folder;
  for (const std::size_t segment : {0u, 1u}) {
    for (const char* damage : {"emptied", "cut", "gone"}) {
      std::filesystem::remove_all(folder / "d");
      make_dataset(folder / "d");
      const auto file = folder / "d/log/p0000" / fmt::format("{:08}.seg", segment);
      const auto size = std::filesystem::file_size(file);
      if (damage == std::string("gone")) std::filesystem::remove(file);
      else std::filesystem::resize_file(file, damage == std::string("cut") ? size - 3 : 0);
      const auto opened = Dataset::open(folder / "d");
      ASSERT_FALSE(opened.has_value()) << damage;
      EXPECT_EQ(opened.error().code, Code::kInvalid) << damage << ": " << opened.error().message;
      EXPECT_THAT(opened.error().message, HasSubstr("p0000")) << damage;
    }
  }
  std::filesystem::remove_all(folder / "d");
  make_dataset(folder / "d");
  std::filesystem::remove(folder / "d/users.txt");
  EXPECT_EQ(Dataset::open(folder / "d").error().code, Code::kInvalid);
}

TEST(Dataset, BytesOfADamagedListReachNoTerminal) {
  const io::TempFolder folder;
  make_dataset(folder / "d");
  std::ofstream(folder / "d/dataset.json") << "{\"format\": \"\x1b[31m" << std::string(5000, 'x');
  const std::string message = Dataset::open(folder / "d").error().message;
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(message.size(), 500u);
}

TEST(Dataset, EventsAppendedLaterDoNotBelongToIt) {
  const io::TempFolder folder;
  const std::uint64_t before = make_dataset(folder / "d").digest();
  LogWriter writer = LogWriter::open(folder / "d/log", {.partitions = 3}).value();
  ASSERT_TRUE(writer.append({UserId{2}, ItemId{1}, 999}).has_value());
  ASSERT_TRUE(writer.close().has_value());
  const Dataset after = Dataset::open(folder / "d").value();
  EXPECT_EQ(after.digest(), before);
  EXPECT_EQ(after.sequence(UserId{2}).size(), 3u);
}

TEST(DatasetWriter, ReplacesOnlyADatasetAndOnlyByForce) {
  const io::TempFolder folder;
  make_dataset(folder / "d");
  EXPECT_THAT(DatasetWriter::create(folder / "d", {}).error().message, HasSubstr("--force"));
  DatasetWriterOptions force;
  force.force = true;
  {
    DatasetWriter writer = DatasetWriter::create(folder / "d", force).value();
    EXPECT_EQ(Dataset::open(folder / "d").value().users(), 12u);        // the old one, until finish()
    ASSERT_TRUE(writer.append({UserId{0}, ItemId{0}, 1}).has_value());
    ASSERT_TRUE(writer.finish(std::vector<Item>{{"k"}}, std::vector<std::string>{"u"}).has_value());
  }
  EXPECT_EQ(Dataset::open(folder / "d").value().users(), 1u);
  std::filesystem::create_directories(folder / "home/precious");
  EXPECT_FALSE(DatasetWriter::create(folder / "home", force).has_value());
  { DatasetWriter dropped = DatasetWriter::create(folder / "e", {}).value(); }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

TEST(Catalogue, LinesThatAreNoItemsAreNamed) {
  for (const char* bad :
       {"", "[]", "{", "{\"title\":\"x\"}", "{\"key\":1}", "{\"key\":\"a\",\"categories\":[\"x\"]}"}) {
    const auto item = parse_catalogue_line(bad, "c.jsonl:7");
    ASSERT_FALSE(item.has_value()) << bad;
    EXPECT_THAT(item.error().message, HasSubstr("c.jsonl:7")) << bad;
  }
}

}  // namespace
}  // namespace dyad::data
