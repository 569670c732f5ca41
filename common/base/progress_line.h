#pragma once
// The text of one line of progress. Knows no terminal and no clock. Threads: any; no state.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace dyad {

struct ProgressState {
  std::string label, unit, note;            // "train", "steps", "epoch 2, loss 3.1": the weightiest first
  std::uint64_t done = 0, total = 0;
  double spent_s = 0;
  std::optional<double> left_s;             // none: not known yet
  bool is_last = false;
};

// A bar of at most `columns` columns. Too little room costs first the end of the note, then the count, the time left,
// the bar itself.
std::string bar_line(const ProgressState& state, std::size_t columns, bool blocks);
std::string plain_line(const ProgressState& state);     // whole, for a file
std::string duration_text(double seconds);              // "45 s", "3 min 20 s", "2 h 05 min"
unsigned percent_of(std::uint64_t done, std::uint64_t total);   // 100 only of what is done

}  // namespace dyad
