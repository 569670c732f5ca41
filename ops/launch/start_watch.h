#pragma once
// Watches a job's start: who has registered is the coordinator's to lose, who has not is the launcher's. A process that
// is stopped (SIGSTOP) before it registers would be waited for for ever: by then its coordinator does not know it, and
// the ranks meet in a sum. So it is killed, and the launcher treats it as one that died. One that is not stopped is at
// work, or waits for a disk, and may take as long as it likes; who is waited for is said. Threads: one.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <sys/types.h>
#include "common/base/clock.h"
#include "ops/launch/child.h"

namespace dyad::ops {

struct StartWatchOptions {
  std::filesystem::path job_dir;
  std::uint32_t servers = 1, workers = 1;
  Millis bound_ms = 60'000;                      // servers.timeout_ms
};

// Who takes part and who does not yet, by what the coordinator says of a job in its /status.json.
struct Roll {
  std::vector<std::string> missing;              // "server 0", "worker 1", in this order
  std::vector<pid_t> here;                       // the processes of this machine that have registered
};
std::optional<Roll> call_roll(std::string_view status, std::uint32_t servers, std::uint32_t workers);

class StartWatch {
 public:
  explicit StartWatch(StartWatchOptions options) : options_(std::move(options)) {}
  // `children`: the coordinator, the servers by id, the worker job. Looks once a second, until all have registered.
  // A pause of this process itself counts against nobody.
  void look(const std::vector<Child>& children, Millis now);

 private:
  void look_at(const std::string& who, pid_t pid, Millis passed, const Roll& roll);
  void say_who_is_missing(const Roll& roll, Millis passed);
  const StartWatchOptions options_;
  std::map<pid_t, Millis> stopped_ms_;
  std::vector<std::string> missing_;
  Millis looked_ms_ = 0, waited_ms_ = 0;
  bool is_over_ = false;
};

}  // namespace dyad::ops
