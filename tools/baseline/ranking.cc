#include "tools/baseline/ranking.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include "common/base/check.h"

namespace dyad::baseline {
namespace {

std::size_t place(std::size_t cut) {
  const auto* found = std::find(kCuts.begin(), kCuts.end(), cut);
  CHECK(found != kCuts.end());
  return static_cast<std::size_t>(found - kCuts.begin());
}

double mean(double sum, std::size_t n) { return n > 0 ? sum / static_cast<double>(n) : 0; }

}  // namespace

void Ranking::add(std::size_t rank) {
  ++users_;
  for (std::size_t i = 0; i < kCuts.size(); ++i) {
    if (rank >= kCuts[i]) continue;
    hits_[i] += 1;
    gain_[i] += 1 / std::log2(static_cast<double>(rank) + 2);
  }
}

double Ranking::recall(std::size_t cut) const { return mean(hits_[place(cut)], users_); }
double Ranking::ndcg(std::size_t cut) const { return mean(gain_[place(cut)], users_); }

std::string Ranking::to_text() const {
  std::string out;
  for (const auto cut : kCuts) out += fmt::format("Recall@{} {:.4f}  ", cut, recall(cut));
  for (const auto cut : kCuts) out += fmt::format("NDCG@{} {:.4f}  ", cut, ndcg(cut));
  return out + fmt::format("({} users)", users_);
}

nlohmann::json Ranking::to_json() const {
  nlohmann::json out;
  for (const auto cut : kCuts) {
    out[fmt::format("recall@{}", cut)] = recall(cut);
    out[fmt::format("ndcg@{}", cut)] = ndcg(cut);
  }
  return out;
}

std::size_t rank_of(std::span<const float> scores, std::uint32_t target) {
  std::size_t before = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    before += scores[i] > scores[target] || (scores[i] == scores[target] && i < target);
  return before;
}

}  // namespace dyad::baseline
