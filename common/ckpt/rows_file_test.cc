#include "common/ckpt/rows_file.h"

#include <fstream>
#include <unistd.h>
#include <gtest/gtest.h>
#include "common/base/random.h"
#include "common/ckpt/rows_writer.h"

namespace dyad::ckpt {
namespace {

namespace fs = std::filesystem;

class RowsFileTest : public ::testing::Test {
 protected:
  fs::path dir_ = fs::temp_directory_path() / ("dyad-rows-file-test-" + std::to_string(::getpid()));
  fs::path path_ = dir_ / rows_file_name(GroupId{7});
  RowsHeader header_{
      Step{40}, GroupId{7}, 32, 1024, {{TableId{0}, 3, 2, "adagrad"}, {TableId{2}, 5, 0, "sgd"}}};
  std::vector<float> data_ = std::vector<float>(64);

  void SetUp() override {
    for (std::size_t i = 0; i < data_.size(); ++i) data_[i] = static_cast<float>(i) + 0.5f;
  }
  void TearDown() override { fs::remove_all(dir_); }
  Result<Written> write() {
    DYAD_TRY(writer, RowsWriter::create(path_, header_));
    const RowRef item[] = {{RowKey{4}, 9, data_.data()},
                           {RowKey{1ull << 40}, 1, data_.data() + 5},
                           {RowKey{1ull << 41}, 2, data_.data() + 10}};
    const RowRef code[] = {{RowKey{6}, 3, data_.data() + 20}};
    DYAD_TRYV(writer.section(BucketId{224}, TableId{0}, item));
    DYAD_TRYV(writer.section(BucketId{224}, TableId{2}, {}));
    DYAD_TRYV(writer.section(BucketId{225}, TableId{2}, code));
    return writer.finish();
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void rewrite(const std::string& bytes) const { std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes; }
};

TEST_F(RowsFileTest, WhatIsWrittenIsRead) {
  const Written written = write().value();
  EXPECT_EQ(written.bytes, fs::file_size(path_));
  EXPECT_EQ(written.digest, digest64(std::string_view(bytes())));
  const auto file = RowsFile::open(path_).value();
  EXPECT_EQ(file.header().step, Step{40});
  EXPECT_EQ(file.header().tables, header_.tables);
  EXPECT_EQ(file.rows(), 4u);
  std::vector<std::uint64_t> keys;
  file.for_each([&](const RowView& row) {
    keys.push_back(row.key.value);
    if (row.key == RowKey{1ull << 40}) {
      EXPECT_EQ(row.count, 1u);
      EXPECT_EQ(row.bucket, BucketId{224});
      EXPECT_EQ(row.value[0], 5.5f);
      EXPECT_EQ(row.slots[1], 9.5f);
    }
  });
  EXPECT_EQ(keys, (std::vector<std::uint64_t>{4, 1ull << 40, 1ull << 41, 6}));
  std::size_t semantic = 0;
  ASSERT_TRUE(read_rows(path_, TableId{2}, [&](const RowView& row) {
    ++semantic;
    EXPECT_EQ(row.value.size(), 5u);
    EXPECT_TRUE(row.slots.empty());
    EXPECT_EQ(row.value[4], 24.5f);
  }));
  EXPECT_EQ(semantic, 1u);
}

TEST_F(RowsFileTest, EveryAlteredByteIsNoticedAndTheFileNamed) {
  ASSERT_TRUE(write());
  const std::string good = bytes();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    rewrite(bad);
    const auto file = RowsFile::open(path_);
    ASSERT_FALSE(file) << "byte " << i;
    EXPECT_EQ(file.error().code, Code::kInvalid);
    EXPECT_NE(file.error().message.find(path_.string()), std::string::npos);
  }
}

TEST_F(RowsFileTest, AStreamVisitsWhatWasWrittenAndNoticesEveryAlteredByteInTheEnd) {
  ASSERT_TRUE(write());
  const std::string good = bytes();
  std::vector<std::uint64_t> keys;
  const auto visit = [&](const RowsSection& section) {
    for (const RowKey key : section.keys) keys.push_back(key.value);
    EXPECT_EQ(section.counts.size(), section.keys.size());
    return ok();
  };
  const auto any = [](const RowsHeader&) { return ok(); };
  ASSERT_TRUE(RowsFile::stream(path_, any, visit));
  EXPECT_EQ(keys, (std::vector<std::uint64_t>{4, 1ull << 40, 1ull << 41, 6}));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    rewrite(bad);
    const Status status = RowsFile::stream(path_, any, visit);
    ASSERT_FALSE(status) << "byte " << i;
    EXPECT_EQ(status.error().code, Code::kInvalid);
    EXPECT_NE(status.error().message.find(path_.string()), std::string::npos);
    if (i >= 40 + 2 * 32) {                       // after the header, which is checked first
      EXPECT_NE(status.error().message.find("its checksum does not match"), std::string::npos) << i;
    }
  }
}

TEST_F(RowsFileTest, AStreamEndsWithTheErrorOfWhoeverReads) {
  ASSERT_TRUE(write());
  const auto refuse = [](const auto&) -> Status { return fail(Code::kStale, "not mine"); };
  const auto take = [](const auto&) { return ok(); };
  EXPECT_EQ(RowsFile::stream(path_, refuse, take).error().message, "not mine");
  EXPECT_EQ(RowsFile::stream(path_, take, refuse).error().message, "not mine");
}

TEST_F(RowsFileTest, EveryTruncationIsNoticed) {
  ASSERT_TRUE(write());
  const std::string good = bytes();
  for (std::size_t n = 0; n < good.size(); n += 4) {
    rewrite(good.substr(0, n));
    EXPECT_FALSE(RowsFile::open(path_)) << n << " bytes";
  }
}

TEST_F(RowsFileTest, DamageUnderAValidChecksumIsNoticedToo) {
  ASSERT_TRUE(write());
  const std::string good = bytes();
  KeyedRandom random(3);
  for (int round = 0; round < 300; ++round) {   // never crashes, whatever the numbers say
    std::string bad = good;
    for (int c = 0; c < 3; ++c) bad[random.below(120)] = static_cast<char>(random.next());
    const std::uint64_t digest = digest64(std::string_view(bad).substr(0, bad.size() - 8));
    bad.replace(bad.size() - 8, 8, reinterpret_cast<const char*>(&digest), 8);
    rewrite(bad);
    const auto file = RowsFile::open(path_);
    if (file) file.value().for_each([](const RowView& row) { EXPECT_LE(row.value.size(), 1u << 20); });
  }
}

TEST_F(RowsFileTest, AnUnfinishedFileNeverHasItsName) {
  {
    auto writer = RowsWriter::create(path_, header_).value();
    const RowRef row{RowKey{1}, 1, data_.data()};
    ASSERT_TRUE(writer.section(BucketId{1}, TableId{0}, {&row, 1}));
  }
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_TRUE(fs::is_empty(path_.parent_path()));
  EXPECT_EQ(RowsFile::open(path_).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace dyad::ckpt
