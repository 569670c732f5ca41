#include "tools/prepare/synth/item_world.h"

#include <algorithm>
#include <array>
#include <cmath>
#include "common/base/check.h"

namespace dyad::synth {
namespace {

constexpr std::uint64_t kPlaceStream = 0x706c616365, kTextStream = 0x74657874, kVectorStream = 0x766563746f72;
constexpr std::uint32_t kDomains = 16;
constexpr std::array<const char*, kDomains> kDomainNames = {
    "kitchen", "garden", "bathroom", "office", "camping", "music", "painting", "bicycle",
    "baby", "pet", "jewelry", "winter sports", "car", "phone", "sewing", "skin care"};
constexpr std::array<const char*, 24> kThings = {
    "lamp", "bag", "brush", "knife", "bottle", "cover", "box", "stand", "cream", "glove", "cable", "mirror",
    "basket", "towel", "clock", "ring", "tool", "book", "mat", "chair", "pen", "filter", "rope", "cup"};
constexpr std::array<const char*, 24> kKinds = {
    "wooden",     "steel",   "silk",     "glass",    "folding", "electric",     "leather", "cotton",
    "plastic",    "ceramic", "rubber",   "wool",     "silver",  "heavy duty",   "travel",  "vintage",
    "waterproof", "organic", "magnetic", "wireless", "mini",    "professional", "soft",    "golden"};
constexpr std::array<const char*, 16> kStyles = {"red",   "blue",    "green",  "black", "white",  "large",
                                                 "small", "classic", "modern", "light", "double", "slim",
                                                 "round", "long",    "new",    "plain"};

// Running sums of 1 / r^zipf, r from 1, scaled to end at 1.
void append_zipf(std::size_t n, double zipf, std::vector<double>& out) {
  const std::size_t first = out.size();
  double sum = 0;
  for (std::size_t r = 1; r <= n; ++r) out.push_back(sum += std::pow(static_cast<double>(r), -zipf));
  for (std::size_t i = first; i < out.size(); ++i) out[i] /= sum;
}

std::size_t draw_index(std::span<const double> cumulative, double uniform) {
  const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), uniform) - cumulative.begin();
  return std::min(static_cast<std::size_t>(at), cumulative.size() - 1);
}

// A made-up name of three syllables.
std::string brand_name(std::uint64_t key) {
  constexpr std::array<const char*, 16> kSyllables = {"ka", "lo", "mi", "ren", "sa", "tor", "vel", "zu",
                                                      "bri", "dan", "fo", "gel", "hu", "jo", "ner", "pa"};
  KeyedRandom random(key);
  std::string name;
  for (int i = 0; i < 3; ++i) name += kSyllables[random.below(kSyllables.size())];
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

}  // namespace

ItemWorld::ItemWorld(std::uint32_t items, std::uint32_t clusters, double zipf, std::uint64_t seed)
    : seed_(seed), begin_{0} {
  CHECK(clusters > 0 && clusters <= items);
  std::vector<std::uint32_t> shuffled(items);                  // item numbers tell nothing of cluster and popularity
  for (std::uint32_t i = 0; i < items; ++i) shuffled[i] = i;
  KeyedRandom random(seed, kPlaceStream);
  shuffle(shuffled, random);
  cluster_.resize(items);
  place_.resize(items);
  for (std::uint32_t c = 0; c < clusters; ++c) {
    const std::size_t size = items / clusters + (c < items % clusters ? 1 : 0);
    for (std::size_t k = 0; k < size; ++k) {
      const ItemId item{shuffled[begin_.back() + k]};
      cluster_[item.value] = c;
      place_[item.value] = static_cast<std::uint32_t>(k);
      by_rank_.push_back(item);
    }
    append_zipf(size, zipf, cumulative_);
    begin_.push_back(by_rank_.size());
  }
  append_zipf(clusters, zipf / 2, cluster_cumulative_);        // clusters differ less than items do
}

std::span<const ItemId> ItemWorld::members(std::uint32_t cluster) const {
  return std::span(by_rank_).subspan(begin_[cluster], begin_[cluster + 1] - begin_[cluster]);
}

ItemId ItemWorld::draw(std::uint32_t cluster, double uniform) const {
  const auto cumulative = std::span(cumulative_).subspan(begin_[cluster], begin_[cluster + 1] - begin_[cluster]);
  return members(cluster)[draw_index(cumulative, uniform)];
}

std::uint32_t ItemWorld::draw_cluster(double uniform) const {
  return static_cast<std::uint32_t>(draw_index(cluster_cumulative_, uniform));
}

ItemId ItemWorld::following(ItemId item, std::uint32_t steps) const {
  const std::span<const ItemId> all = members(cluster(item));
  return all[(place_[item.value] + steps) % all.size()];
}

data::Item ItemWorld::text(ItemId item) const {
  const std::uint32_t c = cluster(item);
  KeyedRandom of_cluster(seed_, kTextStream, c), of_item(seed_, kTextStream + 1, item.value);
  const char* domain = kDomainNames[c % kDomains];
  const char* kind = kKinds[of_cluster.below(kKinds.size())];
  const char* thing = kThings[of_cluster.below(kThings.size())];
  const std::string brand = brand_name(mix64(seed_, c, of_item.below(3)));
  data::Item out{fmt::format("i{}", item), {}, brand, {{domain, fmt::format("{} {}", kind, thing)}}};
  out.title = fmt::format("{} {} {} {} for {}, model {}", brand, kStyles[of_item.below(kStyles.size())], kind, thing,
                          domain, of_item.below(900) + 100);
  return out;
}

std::vector<float> ItemWorld::vector(ItemId item, std::uint32_t width) const {
  const std::uint32_t c = cluster(item);
  KeyedRandom of_domain(seed_, kVectorStream, c % kDomains), of_cluster(seed_, kVectorStream + 1, c),
      of_item(seed_, kVectorStream + 2, item.value);
  std::vector<float> out(width);
  double square = 0;
  for (float& x : out) {
    x = static_cast<float>(of_domain.normal() + of_cluster.normal() + 0.7 * of_item.normal());
    square += static_cast<double>(x) * x;
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(std::max(square, 1e-12)));
  for (float& x : out) x *= scale;
  return out;
}

}  // namespace dyad::synth
