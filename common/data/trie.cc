#include "common/data/trie.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include "common/base/digest.h"
#include "common/io/safetensors.h"

namespace dyad::data {
namespace {

Status check_codes(std::span<const std::int32_t> codes, std::size_t levels) {
  if (levels == 0 || codes.empty() || codes.size() % levels != 0)
    return fail(Code::kInvalid, "{} codes are no table of {} levels", codes.size(), levels);
  if (codes.size() >= std::numeric_limits<std::uint32_t>::max())
    return fail(Code::kInvalid, "{} codes need more nodes than a node number can count", codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (codes[i] < 0)
      return fail(Code::kInvalid, "item {} has code {} at level {}", i / levels, codes[i], i % levels + 1);
  return ok();
}

// Items in the order of their paths.
std::vector<std::uint32_t> by_path(std::span<const std::int32_t> codes, std::size_t levels) {
  std::vector<std::uint32_t> order(codes.size() / levels);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto x = codes.subspan(a * levels, levels), y = codes.subspan(b * levels, levels);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  });
  return order;
}

}  // namespace

// With items in the order of their paths a level is one sweep: a node begins where the prefix differs from the item
// before. Sweeping level after level numbers the nodes breadth first, and each parent's children are contiguous.
Result<Trie> Trie::build(std::span<const std::int32_t> codes, std::size_t levels) {
  DYAD_TRYV(check_codes(codes, levels));
  const std::vector<std::uint32_t> order = by_path(codes, levels);
  const std::size_t items = order.size();
  Trie trie;
  trie.levels_ = levels;
  trie.leaf_.resize(items);
  trie.path_.resize(items * levels);
  trie.parent_ = {0};
  std::vector<std::uint32_t> above(items, 0);          // the node of each item (in path order) one level up
  for (std::size_t level = 0; level < levels; ++level) {
    trie.first_leaf_ = static_cast<std::uint32_t>(trie.parent_.size());
    for (std::size_t i = 0; i < items; ++i) {
      const std::size_t at = order[i] * levels + level;
      const bool same = i > 0 && above[i] == trie.parent_.back() && trie.parent_.size() > trie.first_leaf_ &&
                        codes[at] == codes[order[i - 1] * levels + level];
      if (!same) {
        if (trie.parent_.size() == trie.first_leaf_ || trie.parent_.back() != above[i])
          trie.child_begin_.push_back(static_cast<std::uint32_t>(trie.parent_.size()));
        trie.parent_.push_back(above[i]);
      } else if (level + 1 == levels) {
        return fail(Code::kInvalid, "items {} and {} have the same path", order[i - 1], order[i]);
      }
      trie.path_[at] = NodeId{static_cast<std::uint32_t>(trie.parent_.size() - 1)};
    }
    for (std::size_t i = 0; i < items; ++i) above[i] = trie.path_[order[i] * levels + level].value;
  }
  trie.item_ = order;
  for (std::size_t i = 0; i < items; ++i) trie.leaf_[order[i]] = above[i];
  trie.child_begin_.resize(trie.parent_.size() + 1, static_cast<std::uint32_t>(trie.parent_.size()));
  trie.digest_ = digest64(std::as_bytes(codes)) ^ levels;
  return trie;
}

Result<Trie> Trie::load(const std::filesystem::path& file) {
  DYAD_TRY(tensors, io::Safetensors::open(file));
  DYAD_TRY(table, tensors.tensor("codes"));
  DYAD_TRY(codes, tensors.ints("codes"));
  if (table.shape.size() != 2)
    return fail(Code::kInvalid, "{}: 'codes' has {} dimensions, wanted [items, levels]", file.string(),
                table.shape.size());
  auto trie = build(codes, table.shape[1]);
  if (!trie.has_value()) return fail(trie.error().code, "{}: {}", file.string(), trie.error().message);
  return trie;
}

}  // namespace dyad::data
