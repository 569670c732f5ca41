#include "common/base/progress.h"

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <utility>
#include "common/base/clock.h"
#include "common/base/quiet.h"
#include "common/base/terminal.h"

namespace dyad {
namespace {

constexpr double kDrawnEachS = 0.2, kToldEachS = 10.0;

std::atomic<std::size_t> columns_drawn{0};        // of the bar that the cursor stands behind; 0: none

// No escapes: over the old line by \r, spaces behind a new one that is shorter.
void draw_over(const std::string& line) {
  const std::size_t room = columns_of(STDERR_FILENO) - 1, width = width_of(line);
  const std::size_t before = std::min(columns_drawn.exchange(width), room);
  std::fprintf(stderr, "\r%s%s", line.c_str(), std::string(before > width ? before - width : 0, ' ').c_str());
}

}  // namespace

void wipe_progress() {
  if (columns_drawn == 0) return;
  draw_over("");
  std::fputc('\r', stderr);
}

void notice(const std::string& line) {
  if (is_log_quiet()) return;
  wipe_progress();
  std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
}

Progress::Progress(std::string label, std::uint64_t total, std::string unit, bool on_terminal)
    : start_s_(steady_now_s()), terminal_(on_terminal) {
  state_.label = std::move(label);
  state_.unit = std::move(unit);
  state_.total = total;
}

bool Progress::is_terminal() { return is_drawable(STDERR_FILENO); }

Progress::~Progress() {
  if (!ended_ && terminal_ && columns_drawn.exchange(0) > 0) std::fputc('\n', stderr);
}

void Progress::at(std::uint64_t done, const std::string& note) {
  const double now = steady_now_s();
  if (first_s_ == 0 || done < first_) {
    first_ = done;
    first_s_ = now;
  }
  state_.done = done;
  state_.note = note;
  if (now - (drawn_s_ > 0 ? drawn_s_ : start_s_) < (terminal_ ? kDrawnEachS : kToldEachS)) return;
  drawn_s_ = now;
  draw();
}

void Progress::finish(const std::string& note) {
  if (ended_) return;
  state_.done = state_.total;
  state_.note = note;
  state_.is_last = true;
  draw();
  ended_ = true;
}

void Progress::draw() {
  if (is_log_quiet()) return;
  const double now = steady_now_s();
  state_.spent_s = now - start_s_;
  state_.left_s.reset();
  if (state_.done > first_ && state_.total > state_.done)
    state_.left_s = (now - first_s_) * static_cast<double>(state_.total - state_.done) /
                    static_cast<double>(state_.done - first_);
  if (terminal_) {
    // The last column stays free: some terminals go to the next line when it is written.
    draw_over(bar_line(state_, columns_of(STDERR_FILENO) - 1, are_blocks_wanted()));
    if (state_.is_last) std::fputc('\n', stderr), columns_drawn = 0;
  } else {
    std::fprintf(stderr, "%s\n", plain_line(state_).c_str());
  }
  std::fflush(stderr);
}

}  // namespace dyad
