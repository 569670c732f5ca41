#include "common/base/progress.h"

#include <unistd.h>
#include <cstdio>
#include <utility>
#include <fmt/format.h>
#include "common/base/clock.h"

namespace dyad {

Progress::Progress(std::string label, std::uint64_t total, std::string unit, bool on_terminal)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      start_s_(steady_now_s()),
      terminal_(on_terminal) {}

bool Progress::is_terminal() { return isatty(2) == 1; }

Progress::~Progress() { if (!ended_ && terminal_ && drawn_s_ > 0) std::fputc('\n', stderr); }

void Progress::at(std::uint64_t done, const std::string& note) {
  done_ = done;
  const double now = steady_now_s();
  if (now - (drawn_s_ > 0 ? drawn_s_ : start_s_) < (terminal_ ? 0.2 : 10.0)) return;
  drawn_s_ = now;
  draw(note, false);
}

void Progress::finish(const std::string& note) {
  if (ended_) return;
  done_ = total_;
  draw(note, true);
  ended_ = true;
}

void Progress::draw(const std::string& note, bool last) {
  const double part = total_ ? static_cast<double>(done_) / static_cast<double>(total_) : 1.0,
               spent = steady_now_s() - start_s_;
  const double left = part > 0 && !last ? spent / part - spent : 0;
  if (terminal_) {
    std::string bar;
    for (int i = 0; i < 30; ++i) bar += i < part * 30 ? "█" : "░";
    std::fprintf(stderr, "\r\033[K%s %s %3.0f%% %llu/%llu %s %s %s%s", label_.c_str(), bar.c_str(), part * 100,
                 static_cast<unsigned long long>(done_), static_cast<unsigned long long>(total_), unit_.c_str(),
                 last ? fmt::format("in {:.0f} s", spent).c_str() : fmt::format("{:.0f} s left", left).c_str(),
                 note.c_str(), last ? "\n" : "");
  } else {
    std::fprintf(stderr, "%s %3.0f%% %llu/%llu %s, %.0f s %s\n", label_.c_str(), part * 100,
                 static_cast<unsigned long long>(done_), static_cast<unsigned long long>(total_), unit_.c_str(), spent,
                 note.c_str());
  }
  std::fflush(stderr);
}

}  // namespace dyad
