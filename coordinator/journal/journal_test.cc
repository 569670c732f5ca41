#include "coordinator/journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "coordinator/core/entries.h"
#include "coordinator/testing/entries_for_test.h"

namespace dyad::coordinator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> reopen(const std::filesystem::path& file) {
  std::vector<std::string> records;
  EXPECT_TRUE(Journal::open(file, records).has_value());
  return records;
}

std::string three_records(const std::filesystem::path& file) {
  std::vector<std::string> none;
  auto journal = Journal::open(file, none).value();
  EXPECT_TRUE(journal.append({"one", "two"}).has_value());
  EXPECT_TRUE(journal.append({"three"}).has_value());
  return io::read_file(file).value();
}

TEST(Journal, RecordsComeBackInOrderAndMoreCanFollow) {
  const io::TempFolder folder;
  three_records(folder / "j");
  std::vector<std::string> records;
  {
    auto journal = Journal::open(folder / "j", records).value();
    ASSERT_TRUE(journal.append({"four"}).has_value());
  }
  EXPECT_THAT(records, ElementsAre("one", "two", "three"));
  EXPECT_THAT(reopen(folder / "j"), ElementsAre("one", "two", "three", "four"));
}

TEST(Journal, CutAnywhereItKeepsTheWholeRecordsBefore) {
  const io::TempFolder folder;
  const std::string bytes = three_records(folder / "j");
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    ASSERT_TRUE(io::write_file_atomic(folder / "cut", std::string_view(bytes).substr(0, n)).has_value());
    const auto records = reopen(folder / "cut");
    EXPECT_EQ(records.size(), n < 23 ? 0u : n < 38 ? 1u : n < 55 ? 2u : 3u) << n;  // heads of 12 bytes after 8 of magic
    EXPECT_EQ(reopen(folder / "cut"), records) << "the torn tail was cut off";
  }
}

TEST(Journal, AFlippedByteBeforeTheLastRecordIsAnErrorNamingFileAndOffset) {
  const io::TempFolder folder;
  const std::string bytes = three_records(folder / "j");
  for (std::size_t at = 8; at < 38; ++at) {                                            // records one and two
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    ASSERT_TRUE(io::write_file_atomic(folder / "bad", bad).has_value());
    std::vector<std::string> records;
    const auto opened = Journal::open(folder / "bad", records);
    ASSERT_FALSE(opened.has_value()) << at;
    EXPECT_EQ(opened.error().code, Code::kInvalid);
    EXPECT_THAT(opened.error().message, HasSubstr(fmt::format("bad: damaged at offset {}", at < 23 ? 8 : 23)));
  }
}

TEST(Journal, AFileThatIsNoJournalIsRefusedAndLeftAlone) {
  const io::TempFolder folder;
  ASSERT_TRUE(io::write_file_atomic(folder / "j", "a letter to a friend").has_value());
  std::vector<std::string> records;
  EXPECT_EQ(Journal::open(folder / "j", records).error().code, Code::kInvalid);
  EXPECT_EQ(io::read_file(folder / "j").value(), "a letter to a friend");
}

TEST(Journal, OnlyOneAtATime) {
  const io::TempFolder folder;
  std::vector<std::string> records;
  auto first = Journal::open(folder / "j", records);
  EXPECT_EQ(Journal::open(folder / "j", records).error().code, Code::kOverloaded);
}

TEST(Entries, EveryKindSurvivesTheJournal) {
  const Entries entries = one_of_each_for_test();
  EXPECT_EQ(entries.size(), std::variant_size_v<Entry>);
  for (const Entry& entry : entries) {
    const auto back = decode_entry(encode(entry));
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back.value().index(), entry.index());
    EXPECT_EQ(encode(back.value()), encode(entry));
  }
  for (const char* bad :
       {"", "[]", "{}", "{\"cut_removed\":{}}", "{\"nonsense\":{}}", "{\"cut_removed\":{\"step\":\"x\"}}"})
    EXPECT_EQ(decode_entry(bad).error().code, Code::kInvalid) << bad;
}

TEST(Journal, ARecordThatItsReaderWouldRefuseIsNotWritten) {
  const io::TempFolder folder;
  std::vector<std::string> records;
  {
    auto journal = Journal::open(folder / "journal", records).value();
    ASSERT_TRUE(journal.append({"one"}).has_value());
    EXPECT_EQ(journal.append({std::string(kRecordBytesMax + 1, 'x')}).error().code, Code::kFailed);
    EXPECT_TRUE(journal.append({"two"}).has_value()) << "nothing was written of it";
  }
  ASSERT_TRUE(Journal::open(folder / "journal", records).has_value());
  EXPECT_EQ(records, (std::vector<std::string>{"one", "two"}));
}

}  // namespace
}  // namespace dyad::coordinator
