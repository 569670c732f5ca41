#include "ops/launch/evaluator.h"

#include <signal.h>
#include <chrono>
#include <string>
#include <thread>
#include <vector>
#include "common/base/log.h"
#include "ops/launch/signs.h"

namespace dyad::ops {
namespace {

constexpr Millis kQuietMs = 60'000;
constexpr Millis kAskAgainMs = 2000;             // one that is starting ignores the first wish
constexpr int kEndMs = 5000;                     // it has an mpirun of its own to end
constexpr auto kPoll = std::chrono::milliseconds(100);

bool is_permanent(int code) {
  return code == static_cast<int>(Code::kInvalid) || code == static_cast<int>(Code::kNotFound);
}

}  // namespace

Status Evaluator::start() { return child_ || start_ms_ || is_given_up_ ? ok() : launch(); }

Status Evaluator::launch() {
  start_ms_.reset();
  std::vector<std::string> argv{sibling_program("dyad"), "eval", "--follow", job_dir_.string(), "--split",
                                "validation"};
  DYAD_TRY(child, Child::start("evaluator", std::move(argv), job_dir_ / "logs" / "evaluator.log",
                               {.niceness = 5, .ignored_signal = SIGUSR1}));
  child_ = std::move(child);
  return ok();
}

void Evaluator::died(int code, Millis now) {
  const std::string words = child_->last_words();
  child_.reset();
  const auto pause = is_permanent(code) ? std::nullopt : restarts_.next(last_cut(job_dir_));
  is_given_up_ = !pause;
  if (!pause) {
    const auto often = fmt::format(" (after {} restarts without a new checkpoint)", restarts_.count());
    LOG_WARN("the evaluator ended with code {} and is not started again{}; run `dyad eval` by hand. Its log:\n{}",
             code, is_permanent(code) ? "" : often, words);
    return;
  }
  start_ms_ = now + *pause;
  const std::string in_s = *pause == 0 ? "" : fmt::format(" in {} s", *pause / 1000);
  LOG_WARN("the evaluator ended with code {}; starting it again{} (restart {} of {} without a new checkpoint), "
           "training goes on{}{}", code, in_s, restarts_.count(), restarts_.most(),
           words.empty() ? "" : ". Its log:\n", words);
}

void Evaluator::keep(Millis now) {
  if (child_)
    if (const auto code = child_->poll()) died(*code, now);
  if (!start_ms_ || now < *start_ms_) return;
  if (const Status again = launch(); !again) LOG_WARN("{}; run `dyad eval` by hand", again.error().message);
}

void Evaluator::finish(const std::function<void()>& tick, const std::function<bool()>& stop) {
  Quiet working;                                 // it looks at its ranks all the time, which is work
  for (Millis ask_ms = 0; (child_ || start_ms_) && !stop(); std::this_thread::sleep_for(kPoll)) {
    const Millis now = steady_now_ms();
    if (child_ && child_->poll() == 0) return kill();
    keep(now);
    if (!child_) continue;
    if (now >= ask_ms) {
      child_->signal(SIGUSR1);                   // evaluate what is there, then leave
      ask_ms = now + kAskAgainMs;
    }
    if (working.ms(work_of(child_->pid()), now) > kQuietMs) {
      LOG_WARN("the evaluator did nothing for {} s (was it stopped?) and is ended", kQuietMs / 1000);
      return kill();
    }
    tick();
  }
}

void Evaluator::ask_to_leave() {
  if (child_) child_->signal(SIGTERM);
}

void Evaluator::kill() {
  if (child_) child_->kill(kEndMs);
  child_.reset();
  start_ms_.reset();
}

}  // namespace dyad::ops
