// The sentence encoder against a plain computation of the same network, and against the published MiniLM where it is
// there.
#include <gtest/gtest.h>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include "common/base/random.h"
#include "common/io/safetensors.h"
#include "common/io/temp_folder.h"
#include "tools/encode/sentence_encoder.h"
#include "tools/encode/wordpiece.h"

namespace dyad::encode {
namespace {

using Vec = std::vector<double>;
using Rows = std::vector<Vec>;
constexpr std::size_t kHidden = 8, kHeads = 2, kInner = 12, kLayers = 2, kPositions = 10, kPieces = 9;

// A tiny random BERT as plain loops in double.
struct Plain {
  std::map<std::string, std::vector<float>> w;
  std::map<std::string, std::vector<std::size_t>> shape;

  explicit Plain(std::uint64_t seed) {
    add("embeddings.word_embeddings.weight", {kPieces, kHidden}, seed);
    add("embeddings.position_embeddings.weight", {kPositions, kHidden}, seed);
    add("embeddings.token_type_embeddings.weight", {2, kHidden}, seed);
    add_pair("embeddings.LayerNorm", {kHidden}, seed);
    for (std::size_t l = 0; l < kLayers; ++l) {
      const auto at = "encoder.layer." + std::to_string(l) + ".";
      for (const auto* p :
           {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
        add_pair(at + p, {kHidden, kHidden}, seed);
      add_pair(at + "intermediate.dense", {kInner, kHidden}, seed);
      add_pair(at + "output.dense", {kHidden, kInner}, seed);
      for (const auto* p : {"attention.output.LayerNorm", "output.LayerNorm"}) add_pair(at + p, {kHidden}, seed);
    }
  }
  void add(const std::string& name, std::vector<std::size_t> s, std::uint64_t seed) {
    KeyedRandom random(seed, w.size());
    std::vector<float> values(std::accumulate(s.begin(), s.end(), std::size_t{1}, std::multiplies<>()));
    for (float& x : values) x = static_cast<float>(0.7 * random.normal());
    w[name] = values;
    shape[name] = std::move(s);
  }
  void add_pair(const std::string& name, std::vector<std::size_t> s, std::uint64_t seed) {
    add(name + ".bias", {s[0]}, seed);
    add(name + ".weight", std::move(s), seed);
  }
  Vec linear(const Vec& x, const std::string& name) const {
    Vec out;
    const auto &weight = w.at(name + ".weight"), &bias = w.at(name + ".bias");
    for (std::size_t o = 0; o < bias.size(); ++o)
      out.push_back(
          std::inner_product(x.begin(), x.end(), weight.begin() + o * x.size(), static_cast<double>(bias[o])));
    return out;
  }
  Vec norm(Vec x, const std::string& name) const {
    double mean = 0, variance = 0;
    for (const double v : x) mean += v / x.size();
    for (const double v : x) variance += (v - mean) * (v - mean) / x.size();
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = (x[i] - mean) / std::sqrt(variance + 1e-12) * w.at(name + ".weight")[i] + w.at(name + ".bias")[i];
    return x;
  }
  Rows attend(const Rows& x, const std::string& at) const {
    Rows out(x.size(), Vec(kHidden));
    const std::size_t d = kHidden / kHeads;
    for (std::size_t h = 0; h < kHeads; ++h)
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Vec q = linear(x[i], at + "query");
        Vec score;
        for (const Vec& other : x) {
          const Vec k = linear(other, at + "key");
          score.push_back(std::exp(
              std::inner_product(q.begin() + h * d, q.begin() + (h + 1) * d, k.begin() + h * d, 0.0) / std::sqrt(d)));
        }
        const double sum = std::accumulate(score.begin(), score.end(), 0.0);
        for (std::size_t j = 0; j < x.size(); ++j) {
          const Vec v = linear(x[j], at + "value");
          for (std::size_t c = h * d; c < (h + 1) * d; ++c) out[i][c] += score[j] / sum * v[c];
        }
      }
    return out;
  }
  Vec encode(const std::vector<std::int32_t>& ids) const {
    Rows x;
    for (std::size_t t = 0; t < ids.size(); ++t) {
      Vec row(kHidden);
      for (std::size_t c = 0; c < kHidden; ++c)
        row[c] = w.at("embeddings.word_embeddings.weight")[ids[t] * kHidden + c] +
                 w.at("embeddings.position_embeddings.weight")[t * kHidden + c] +
                 w.at("embeddings.token_type_embeddings.weight")[c];
      x.push_back(norm(row, "embeddings.LayerNorm"));
    }
    for (std::size_t l = 0; l < kLayers; ++l) {
      const auto at = "encoder.layer." + std::to_string(l) + ".";
      const Rows seen = attend(x, at + "attention.self.");
      for (std::size_t t = 0; t < x.size(); ++t) {
        const Vec o = linear(seen[t], at + "attention.output.dense");
        for (std::size_t c = 0; c < kHidden; ++c) x[t][c] += o[c];
        x[t] = norm(x[t], at + "attention.output.LayerNorm");
        Vec inner = linear(x[t], at + "intermediate.dense");
        for (double& v : inner) v = 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)));
        const Vec back = linear(inner, at + "output.dense");
        for (std::size_t c = 0; c < kHidden; ++c) x[t][c] += back[c];
        x[t] = norm(x[t], at + "output.LayerNorm");
      }
    }
    Vec mean(kHidden);
    for (const Vec& row : x) for (std::size_t c = 0; c < kHidden; ++c) mean[c] += row[c];
    const double length = std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0));
    for (double& v : mean) v /= length;
    return mean;
  }
  void write(const std::filesystem::path& dir, const std::string& prefix, const std::string& without = "") const {
    std::map<std::string, io::Tensor> tensors;
    for (const auto& [name, values] : w)
      if (name != without) tensors[prefix + name] = io::make_tensor<float>(shape.at(name), values);
    ASSERT_TRUE(io::write_safetensors(dir / "model.safetensors", tensors).has_value());
    std::ofstream(dir / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\nrose\nwater\n,\n##s\ntea\n";
    std::ofstream(dir / "config.json") << R"({"num_attention_heads": 2, "layer_norm_eps": 1e-12})";
  }
};

TEST(SentenceEncoder, EqualsAPlainComputationWhateverTheBatch) {
  const Plain plain(3);
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
  Plain(3).write(folder.path(), "", "encoder.layer.1.output.dense.bias");
  const auto error = SentenceEncoder::open(folder.path()).error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_NE(error.message.find("encoder.layer.1.output.dense.bias"), std::string::npos) << error.message;
  EXPECT_EQ(SentenceEncoder::open(folder / "nowhere").error().code, Code::kNotFound);
}

// nlohmann's value() threw on another type, and the program aborted.
TEST(SentenceEncoder, RefusesAnActivationOfAnotherNameOrType) {
  const io::TempFolder folder;
  Plain(3).write(folder.path(), "");
  const auto open_with = [&](const std::string& activation) {
    std::ofstream(folder / "config.json") << R"({"num_attention_heads": 2, "hidden_act": )" << activation << "}";
    return SentenceEncoder::open(folder.path());
  };
  EXPECT_TRUE(open_with(R"("gelu")").has_value());
  for (const std::string bad : {R"("relu")", "null", "7", R"(["gelu"])", R"({"a":1})", "true"}) {
    const auto encoder = open_with(bad);
    ASSERT_FALSE(encoder.has_value()) << bad;
    EXPECT_EQ(encoder.error().code, Code::kInvalid);
    EXPECT_NE(encoder.error().message.find("config.json: hidden_act is " + bad + ";"), std::string::npos)
        << encoder.error().message;
  }
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
