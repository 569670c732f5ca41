#include "common/data/trie.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include "common/base/digest.h"
#include "common/io/safetensors.h"

namespace dyad::data {
namespace {

Status check_codes(std::span<const std::int32_t> codes, std::size_t levels, std::int32_t k) {
  if (levels > kLevelsMax)
    return fail(Code::kInvalid, "codes of {} levels; at most {} are read, build them with a larger k", levels,
                kLevelsMax);
  if (levels == 0 || codes.empty() || codes.size() % levels != 0)
    return fail(Code::kInvalid, "{} codes are no table of {} levels", codes.size(), levels);
  if (codes.size() >= std::numeric_limits<std::uint32_t>::max())
    return fail(Code::kInvalid, "{} codes need more nodes than a node number can count", codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (codes[i] < 0 || codes[i] >= k)
      return fail(Code::kInvalid, "item {} has code {} at level {}, wanted 0 to {}", i / levels, codes[i],
                  i % levels + 1, k - 1);
  return ok();
}

// int64 is what an index tensor of PyTorch is saved as.
Result<std::vector<std::int32_t>> read_codes(const io::Safetensors& file) {
  DYAD_TRY(table, file.tensor("codes"));
  if (table.dtype != io::DType::kI64) return file.ints("codes");
  DYAD_TRY(wide, file.longs("codes"));
  std::vector<std::int32_t> out(wide.size());
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (wide[i] < 0 || wide[i] > INT32_MAX)
      return fail(Code::kInvalid, "{}: code {} is {}, wanted 0 to {}", file.path().string(), i, wide[i], INT32_MAX);
    out[i] = static_cast<std::int32_t>(wide[i]);
  }
  return out;
}

Result<std::int32_t> k_of(const io::Safetensors& file) {
  const auto found = file.metadata().find("k");
  if (found == file.metadata().end()) return std::int32_t{INT32_MAX};
  std::int32_t k = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [at, error] = std::from_chars(found->second.data(), end, k);
  if (error != std::errc{} || at != end || k < 1)
    return fail(Code::kInvalid, "{}: metadata k is '{}', no number of children", file.path().string(), found->second);
  return k;
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
Result<Trie> Trie::build(std::span<const std::int32_t> codes, std::size_t levels, std::int32_t k) {
  DYAD_TRYV(check_codes(codes, levels, k));
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
  trie.number_rows();
  return trie;
}

void Trie::number_rows() {
  key_.assign(nodes(), 0);
  node_.assign(nodes(), 0);
  std::uint32_t next = 1;
  for (const NodeId node : path_) {                    // item by item, each from the root down
    if (key_[node.value] != 0) continue;
    key_[node.value] = next;
    node_[next++] = node.value;
  }
}

Result<Trie> Trie::read(const io::Safetensors& file) {
  DYAD_TRY(table, file.tensor("codes"));
  if (table.shape.size() != 2)
    return fail(Code::kInvalid, "{}: 'codes' has {} dimensions, wanted [items, levels]", file.path().string(),
                table.shape.size());
  DYAD_TRY(codes, read_codes(file));
  DYAD_TRY(k, k_of(file));
  auto trie = build(codes, table.shape[1], k);
  if (!trie.has_value()) return fail(trie.error().code, "{}: {}", file.path().string(), trie.error().message);
  return trie;
}

}  // namespace dyad::data
