#include "tools/prepare/encode/pair_counts.h"
#include <algorithm>

namespace dyad::encode {
namespace {

struct Rows { std::uint32_t first = 0, last = 0; };        // [first, last)

// Calls visit(row, column, weight) for each pair whose row is in `rows`, in the order of the histories.
template <class Visit>
void visit_pairs(const Histories& histories, std::size_t window, Rows rows, const Visit& visit) {
  const auto is_wanted = [&](std::uint32_t item) { return item - rows.first < rows.last - rows.first; };
  for (const auto& items : histories.train)
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::uint32_t a = items[i];
      for (std::size_t j = i - std::min(i, window); j < i; ++j) {
        const std::uint32_t b = items[j];
        const float weight = 1.0f / static_cast<float>(i - j);
        if (is_wanted(a)) visit(a, b, weight);
        if (is_wanted(b)) visit(b, a, weight);
      }
    }
}

// Pairs of each row, equal ones counted again.
std::vector<std::uint64_t> pairs_of_rows(const Histories& histories, std::size_t window) {
  std::vector<std::uint64_t> count(histories.items);
  for (const auto& items : histories.train)
    for (std::size_t i = 0; i < items.size(); ++i)
      count[items[i]] += std::min(i, window) + std::min(items.size() - 1 - i, window);
  return count;
}

// One row at a time.
class RowSum {
 public:
  explicit RowSum(std::size_t items) : sum_(items) {}
  void add(std::uint32_t column, float weight) {
    if (sum_[column] == 0) touched_.push_back(column);     // weights are positive
    sum_[column] += weight;
  }
  void append_to(PairCounts& out) {
    std::sort(touched_.begin(), touched_.end());
    for (const std::uint32_t column : touched_) {
      out.column.push_back(column);
      out.value.push_back(sum_[column]);
      sum_[column] = 0;
    }
    touched_.clear();
    out.begin.push_back(out.column.size());
  }

 private:
  std::vector<float> sum_;
  std::vector<std::uint32_t> touched_;
};

struct Cell {
  std::uint32_t column = 0;
  float weight = 0;
};

}  // namespace

PairCounts count_pairs(const Histories& histories, const PairCountOptions& options) {
  const std::vector<std::uint64_t> count = pairs_of_rows(histories, options.window);
  const auto items = static_cast<std::uint32_t>(histories.items);
  PairCounts out{.begin = {0}, .column = {}, .value = {}};
  RowSum sum(items);
  std::vector<Cell> cells;
  std::vector<std::size_t> next;                           // cell of each row of the range
  for (Rows rows; rows.first < items; rows.first = rows.last) {
    std::size_t pairs = 0;
    next.clear();
    for (rows.last = rows.first; rows.last < items; ++rows.last) {
      if (!next.empty() && pairs + count[rows.last] > options.buffer_pairs) break;
      next.push_back(pairs);
      pairs += count[rows.last];
    }
    if (pairs > options.buffer_pairs) {                    // one row
      visit_pairs(histories, options.window, rows, [&](auto, auto column, float weight) { sum.add(column, weight); });
      sum.append_to(out);
      continue;
    }
    if (cells.size() < pairs) cells.resize(pairs);
    visit_pairs(histories, options.window, rows, [&](auto row, auto column, float weight) {
      cells[next[row - rows.first]++] = {column, weight};
    });
    std::size_t at = 0;
    for (const std::size_t end : next) {                   // by now each row's cell is the next one's first
      for (; at < end; ++at) sum.add(cells[at].column, cells[at].weight);
      sum.append_to(out);
    }
  }
  return out;
}

}  // namespace dyad::encode
