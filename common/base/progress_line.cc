#include "common/base/progress_line.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include "common/base/terminal.h"

namespace dyad {
namespace {

constexpr std::size_t kBarMin = 6, kBarMax = 30;

std::string time_text(const ProgressState& state) {
  if (state.is_last) return "in " + duration_text(state.spent_s);
  return state.left_s ? duration_text(*state.left_s) + " left" : "";
}

std::string count_text(const ProgressState& state) {
  return fmt::format("{}/{} {}", state.done, state.total, state.unit);
}

// The parts at the front of a note that fit.
std::string shortened(std::string note, std::size_t columns) {
  while (width_of(note) > columns) {
    const auto comma = note.rfind(", ");
    if (comma == std::string::npos) return "";
    note.resize(comma);
  }
  return note;
}

std::string bar_text(const ProgressState& state, std::size_t cells, bool blocks) {
  const double part = state.total ? static_cast<double>(state.done) / static_cast<double>(state.total) : 1.0;
  const auto full = std::min(cells, static_cast<std::size_t>(part * static_cast<double>(cells)));
  std::string bar;
  for (std::size_t i = 0; i < cells; ++i) bar += i < full ? (blocks ? "█" : "#") : (blocks ? "░" : ".");
  return bar;
}

}  // namespace

unsigned percent_of(std::uint64_t done, std::uint64_t total) {
  if (done >= total) return 100;
  return std::min(99u, static_cast<unsigned>(100.0 * static_cast<double>(done) / static_cast<double>(total)));
}

std::string duration_text(double seconds) {
  const auto s = static_cast<std::uint64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
}

std::string bar_line(const ProgressState& state, std::size_t columns, bool blocks) {
  const std::string percent = fmt::format("{:3}%", percent_of(state.done, state.total));
  const std::string label = clipped(state.label, columns > percent.size() ? columns - percent.size() - 1 : 0);
  std::size_t free = columns - std::min(columns, width_of(label) + 1 + percent.size());
  const auto takes = [&](const std::string& text) {
    const std::size_t wanted = text.empty() ? 0 : width_of(text) + 1;
    if (text.empty() || wanted > free) return std::string();
    free -= wanted;
    return " " + text;
  };
  std::size_t cells = free > kBarMin ? kBarMin : 0;
  free -= cells + (cells > 0);
  const std::string time = takes(time_text(state)), count = takes(count_text(state));
  const std::string note = free > 0 ? takes(shortened(state.note, free - 1)) : "";
  const std::size_t wider = cells > 0 ? std::min(free, kBarMax - cells) : 0;
  cells += wider;
  const std::string bar = cells > 0 ? " " + bar_text(state, cells, blocks) : "";
  return clipped(label + bar + " " + percent + count + time + note, columns);
}

std::string plain_line(const ProgressState& state) {
  const std::string time = time_text(state);
  return fmt::format("{} {:3}% {}, {}{}{}{}{}", state.label, percent_of(state.done, state.total), count_text(state),
                     state.is_last ? time : duration_text(state.spent_s), state.is_last || time.empty() ? "" : ", ",
                     state.is_last ? "" : time, state.note.empty() ? "" : ", ", state.note);
}

}  // namespace dyad
