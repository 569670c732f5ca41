// The sentence encoder against a plain computation of the same network, and against the published MiniLM where it is
// there.
#include <gtest/gtest.h>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include "common/io/safetensors.h"
#include "common/io/temp_folder.h"
#include "tools/prepare/encode/plain_bert.h"
#include "tools/prepare/encode/sentence_encoder.h"
#include "tools/prepare/encode/wordpiece.h"

namespace dyad::encode {
namespace {

TEST(SentenceEncoder, EqualsAPlainComputationWhateverTheBatch) {
  const PlainBert plain(3);
  const std::vector<std::string> texts{"rose water", "tea", "", "roses, water, tea, teas, roses, rose", "unknown tea"};
  for (const auto* prefix : {"", "bert."}) {
    const io::TempFolder folder;
    plain.write(folder.path(), prefix);
    const auto encoder = SentenceEncoder::open(folder.path()).value();
    EXPECT_EQ(encoder.shape().layers, 2);
    EXPECT_EQ(encoder.shape().tokens_max, kPositions);
    const auto words = WordPiece::open(folder / "vocab.txt").value();
    for (const std::size_t batch : {1, 2, 5}) {
      const auto rows = encoder.encode(texts, {.batch = batch}).value();
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const Vec expected = plain.encode(words.encode(texts[i], kPositions));
        for (std::size_t c = 0; c < kHidden; ++c) EXPECT_NEAR(rows.row(i)[c], expected[c], 2e-5) << texts[i];
      }
    }
  }
}

TEST(SentenceEncoder, NamesTheTensorThatIsMissing) {
  const io::TempFolder folder;
  PlainBert(3).write(folder.path(), "", "encoder.layer.1.output.dense.bias");
  const auto error = SentenceEncoder::open(folder.path()).error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_NE(error.message.find("encoder.layer.1.output.dense.bias"), std::string::npos) << error.message;
  EXPECT_EQ(SentenceEncoder::open(folder / "nowhere").error().code, Code::kNotFound);
}

std::filesystem::path minilm() {
  if (const char* dir = std::getenv("DYAD_MINILM")) return dir;
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  return cache ? std::filesystem::path(cache) / "dyad/minilm"
               : std::filesystem::path(home ? home : "") / ".cache/dyad/minilm";
}

TEST(SentenceEncoder, EqualsThePublishedMiniLmOnFiftyTitles) {
  if (!std::filesystem::exists(minilm() / "model.safetensors"))
    GTEST_SKIP() << "no model in " << minilm() << "; run tools/fetch_data.sh minilm, or set DYAD_MINILM";
  const std::filesystem::path data = DYAD_TESTDATA;
  std::vector<std::string> titles;
  std::ifstream file(data / "minilm_titles.txt");
  for (std::string line; std::getline(file, line);) titles.push_back(line);
  ASSERT_EQ(titles.size(), 50u);
  const auto fixture = io::Safetensors::open(data / "minilm_titles.safetensors").value();
  const auto begin = fixture.ints("token_begin").value(), ids = fixture.ints("token_ids").value();
  const auto expected = fixture.floats("embedding").value();

  const auto words = WordPiece::open(minilm() / "vocab.txt").value();
  const auto encoder = SentenceEncoder::open(minilm()).value();
  const auto rows = encoder.encode(titles, {.batch = 16}).value();
  for (std::size_t i = 0; i < titles.size(); ++i) {
    EXPECT_EQ(words.encode(titles[i], 256),
              std::vector<std::int32_t>(ids.begin() + begin[i], ids.begin() + begin[i + 1]))
        << titles[i];
    double dot = 0, ours = 0, theirs = 0;
    for (std::size_t c = 0; c < rows.cols; ++c) {
      const double a = rows.row(i)[c], b = expected[i * rows.cols + c];
      dot += a * b; ours += a * a; theirs += b * b;
    }
    EXPECT_GT(dot / std::sqrt(ours * theirs), 0.9999) << titles[i];
    EXPECT_NEAR(ours, 1, 1e-4);
  }
}

}  // namespace
}  // namespace dyad::encode
