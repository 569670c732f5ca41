#pragma once
// The end of a training that failed takes no longer than this, whatever its destructors wait for: the writer of a cut
// may hang in a fsync, which cannot be called off, and until the process ends the other ranks wait for its abort.
// (last_resort in train_job.cc is for one that does not get so far; ps/main.cc has a leave_soon too.) Threads: one.
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/base/scarcity.h"

namespace dyad::worker {

inline constexpr std::chrono::milliseconds kLeave{3000};

// Declared after what may wait, so that it is destroyed first, an exception's way too.
class LeaveSoon {
 public:
  explicit LeaveSoon(std::chrono::milliseconds within = kLeave) : within_(within) {}
  LeaveSoon(const LeaveSoon&) = delete;
  LeaveSoon& operator=(const LeaveSoon&) = delete;
  void because(const Error& why) { why_ = why, is_known_ = true; }
  void call_off() { called_off_ = true; }         // it ended well
  ~LeaveSoon() {
    if (called_off_) return;
    const int code = static_cast<int>(why_.code);
    try {
      std::thread([within = within_, why = why_.message, code] {
        std::this_thread::sleep_for(within);
        LOG_ERROR("{} (its end took more than {} ms: a disk, or the coordinator, does not answer)", why,
                  within.count());
        std::_Exit(code);
      }).detach();
    } catch (const std::system_error& e) {       // no thread to be had: no time either
      const Error why = is_known_ ? why_ : error_of(e);
      LOG_ERROR("{}", why.message);
      std::_Exit(static_cast<int>(why.code));
    }
  }

 private:
  std::chrono::milliseconds within_;
  Error why_ = fail(Code::kFailed, "the training ended by an exception");
  bool is_known_ = false, called_off_ = false;
};

}  // namespace dyad::worker
