#pragma once
// For tests: a tiny random BERT as plain loops in double, and its folder.
#include <gtest/gtest.h>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <string>
#include <vector>
#include "common/base/random.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"

namespace dyad::encode {

using Vec = std::vector<double>;
using Rows = std::vector<Vec>;
inline constexpr std::size_t kHidden = 8, kHeads = 2, kInner = 12, kLayers = 2, kPositions = 10, kPieces = 9;

struct PlainBert {
  std::map<std::string, std::vector<float>> w;
  std::map<std::string, std::vector<std::size_t>> shape;

  explicit PlainBert(std::uint64_t seed) {
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
  // The row of each token after the last layer.
  Rows tokens(const std::vector<std::int32_t>& ids) const {
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
    return x;
  }
  static Vec unit(Vec x) {
    const double length = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
    for (double& v : x) v /= length;
    return x;
  }
  Vec encode(const std::vector<std::int32_t>& ids) const {           // the mean, of unit length
    Vec mean(kHidden);
    for (const Vec& row : tokens(ids)) for (std::size_t c = 0; c < kHidden; ++c) mean[c] += row[c];
    return unit(mean);
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

}  // namespace dyad::encode
