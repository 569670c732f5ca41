// Tokenizer and item texts: no LibTorch.
#include <gtest/gtest.h>
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "tools/prepare/encode/item_text.h"
#include "tools/prepare/encode/unicode.h"
#include "tools/prepare/encode/wordpiece.h"

namespace dyad::encode {
namespace {

std::string words(std::string_view text) {
  std::string out;
  for (const auto& word : basic_tokens(text)) {
    if (!out.empty()) out += '|';
    for (const char32_t c : word) append_utf8(out, c);
  }
  return out;
}

TEST(BasicTokens, SplitLowerAndStripAsThePublishedTokenizerDoes) {
  EXPECT_EQ(words("Rose Water, 3-pack!"), "rose|water|,|3|-|pack|!");
  EXPECT_EQ(words("Crème BRÛLÉE naïve łódź Ñandú"), "creme|brulee|naive|łodz|nandu");
  EXPECT_EQ(words("cre\xcc\x80me"), "creme");                                  // e and a combining grave
  EXPECT_EQ(words("Ёлка й Παγωτό"), "елка|и|παγωτο");
  EXPECT_EQ(words("日本の抹茶x"), "日|本|の|抹|茶|x");
  EXPECT_EQ(words("が"), "か");
  EXPECT_EQ(words("한"), "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab");                // three jamo
  EXPECT_EQ(words("a\tb\n c\xc2\xa0" "d\xe3\x80\x80" "e"), "a|b|c|d|e");
  EXPECT_EQ(words("zero\xe2\x80\x8bwidth so\xc2\xad" "ft\x01"), "zerowidth|soft");
  EXPECT_EQ(words("“q” – € ° $"), "“|q|”|–|€|°|$");
  EXPECT_EQ(words(""), "");
}

TEST(BasicTokens, KeepCaseAccentsAndIdeographsWhereTheModelSaysSo) {
  const auto folded = [](std::string_view text, const WordPieceRules& rules) {
    std::string out;
    for (const auto& word : basic_tokens(text, rules)) {
      if (!out.empty()) out += '|';
      for (const char32_t c : word) append_utf8(out, c);
    }
    return out;
  };
  const std::string text = "Crème BRÛLÉE Ёлка 日本x";
  EXPECT_EQ(folded(text, {.lower_case = false, .strip_accents = false}), "Crème|BRÛLÉE|Ёлка|日|本|x");
  EXPECT_EQ(folded(text, {.lower_case = true, .strip_accents = false}), "crème|brûlée|ёлка|日|本|x");
  EXPECT_EQ(folded(text, {.lower_case = false, .strip_accents = true}), "Creme|BRULEE|Елка|日|本|x");
  EXPECT_EQ(folded(text, {.ideographs_apart = false}), "creme|brulee|елка|日本x");
}

// Of the letters outside a few blocks case and accents stayed.
TEST(BasicTokens, FoldWhatUnicodeFoldsInEveryBlock) {
  EXPECT_EQ(words("\u212bngstr\u00f6m 5\u2126 300\u212a"), "angstrom|5ω|300k");
  EXPECT_EQ(words("a\u2260b\u226ec"), "a|=|b|<|c");                               // signs with a stroke through them
  EXPECT_EQ(words("ᲐᲑ ᎠᎡ Ⴀ Ⓐ Ⴥ Ꙁ Ⰰ"), "აბ|ꭰꭱ|ⴀ|ⓐ|ⴥ|ꙁ|ⰰ");
  EXPECT_EQ(words("İı 𐐀 ǅ"), "iı|𐐨|ǆ");
  EXPECT_EQ(words("\u09cb \u0958 \ufb2a"), "\u09c7\u09be|\u0915|\u05e9");         // vowel of two parts, nukta, shin dot
  EXPECT_EQ(words("豈\U0002f800"), "豈|丽");
  std::string cased;
  for (const auto& word : basic_tokens("İ \u212b ≠ Ა", {.lower_case = true, .strip_accents = false}))
    for (const char32_t c : word) append_utf8(cased, c);
  EXPECT_EQ(cased, "i\u0307\u00e5\u2260ა");
}

TEST(Utf8, IllFormedBytesBecomeTheReplacementCharacter) {
  EXPECT_EQ(decode_utf8("a\xff" "b"), U"a\xfffd" U"b");
  EXPECT_EQ(decode_utf8("\xc0\xaf"), U"\xfffd\xfffd");                           // overlong
  EXPECT_EQ(decode_utf8("\xe2\x82"), U"\xfffd\xfffd");                           // cut short
  EXPECT_EQ(decode_utf8("\xed\xa0\x80").size(), 3u);                             // a surrogate
  EXPECT_EQ(decode_utf8("\xf0\x9f\x98\x80"), U"\x1f600");
}

class WordPieceTest : public testing::Test {
 protected:
  Result<WordPiece> open(const std::string& vocabulary) {
    EXPECT_TRUE(io::write_file_atomic(folder_ / "vocab.txt", vocabulary).has_value());
    return WordPiece::open(folder_ / "vocab.txt");
  }
  io::TempFolder folder_;
};

TEST_F(WordPieceTest, TakesTheLongestPieceFirst) {
  const auto w = open("[PAD]\n[UNK]\n[CLS]\n[SEP]\nrose\nro\n##se\n##s\n##e\nwater\n,\n日\n").value();
  using Ids = std::vector<std::int32_t>;
  EXPECT_EQ(w.encode("Rose water,", 64), (Ids{2, 4, 9, 10, 3}));
  EXPECT_EQ(w.encode("roses", 64), (Ids{2, 4, 7, 3}));
  EXPECT_EQ(w.encode("ros", 64), (Ids{2, 5, 7, 3}));
  EXPECT_EQ(w.encode("rosy rose", 64), (Ids{2, 1, 4, 3}));                       // no piece for y: the word is unknown
  EXPECT_EQ(w.encode("日日", 64), (Ids{2, 11, 11, 3}));
  EXPECT_EQ(w.encode(std::string(101, 'e'), 64), (Ids{2, 1, 3}));
  EXPECT_EQ(w.encode("rose rose rose rose", 4), (Ids{2, 4, 4, 3}));              // cut, but [SEP] stays
  EXPECT_EQ(w.encode("", 64), (Ids{2, 3}));
}

// A byte order mark made the first piece another one; a blank last line was a piece more than the model has rows for.
TEST_F(WordPieceTest, ReadsAVocabularyAsOtherSystemsWriteIt) {
  for (const std::string mark : {"", "\xef\xbb\xbf"})
    for (const std::string end : {"\n", "\r\n"})
      for (const std::string& last : {std::string(), end, end + end}) {
        const auto words = open(mark + "[PAD]" + end + "[UNK]" + end + "[CLS]" + end + "[SEP]" + end + "a" + last);
        ASSERT_TRUE(words.has_value()) << words.error().message;
        EXPECT_EQ(words.value().encode("a", 8), (std::vector<std::int32_t>{2, 4, 3}));
        EXPECT_EQ(words.value().largest(), 4);
      }
}

TEST_F(WordPieceTest, NamesTheMissingPieceAndTheFile) {
  const auto error = open("[PAD]\n[UNK]\n[CLS]\n").error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_NE(error.message.find("[SEP]"), std::string::npos);
  EXPECT_NE(error.message.find("vocab.txt"), std::string::npos);
  EXPECT_EQ(WordPiece::open(folder_ / "nowhere.txt").error().code, Code::kNotFound);
}

TEST(ItemText, LeavesOutWhatIsUnknownAndNamesEachCategoryOnce) {
  EXPECT_EQ(item_text({"k", "Soap", "Acme", {{"Beauty", "Bath"}, {"Beauty", "Soap"}}}),
            "Soap. Brand: Acme. Categories: Beauty, Bath, Soap.");
  EXPECT_EQ(item_text({"k", "Soap", "", {}}), "Soap.");
  EXPECT_EQ(item_text({"k", "", "Acme", {}}), "Brand: Acme.");
  EXPECT_EQ(item_text({"k", "", "", {}}), "k");
  EXPECT_FALSE(has_text({"k", "", "", {}}));
  EXPECT_FALSE(has_text({"k", "", "", {{""}}}));
  EXPECT_TRUE(has_text({"k", "", "", {{"Bath"}}}));
}

}  // namespace
}  // namespace dyad::encode
