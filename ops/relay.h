#pragma once
// The standard output of a child, through this process: mpirun ends well though its own output could not be written,
// this process tells. Threads: one.
#include "common/base/result.h"

namespace dyad::ops {

class Relay {
 public:
  static Result<Relay> open();        // until `started` a new child's descriptor 1 is a pipe to us
  Relay(Relay&& other) noexcept;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();
  void started();                     // descriptor 1 is this process's own again
  void pass_on();                     // what has come meanwhile, to stdout; does not wait

 private:
  Relay() = default;
  int read_ = -1, own_ = -1;
};

}  // namespace dyad::ops
