#pragma once
// Rows of a checkpoint on their way into the shards of a server, a thread for each of these, while the server tells
// whoever pulls to wait. Those of a cut of this job come with all that belongs to them (cut.h); those of another job's
// checkpoint, at step 0, as weights (weights.h). Threads: one owner; `on_end` is called on the last thread to finish.
#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>
#include "ps/cut.h"
#include "ps/weights.h"

namespace dyad::ps {

struct LoadOptions {
  std::filesystem::path checkpoint;
  Step step;                                     // 0: of another job
  wire::Partition partition;
  std::uint64_t manifest = 0;                    // digest of the checkpoint's
};
struct LoadPart {
  Shard* shard = nullptr;                        // nobody else touches it until the end
  std::vector<GroupId> groups;
};

class Loading {
 public:
  Loading(LoadOptions options, std::vector<LoadPart> parts, std::function<void()> on_end);
  ~Loading();                                    // gives up and joins
  // Empty while it goes on; the first error if there was one, after which the shards are good for nothing.
  std::optional<Status> end() const;
  Step step() const { return options_.step; }

 private:
  Status load(const LoadPart& part) const;
  void work(const LoadPart& part);
  const LoadOptions options_;
  const std::vector<LoadPart> parts_;
  const std::function<void()> on_end_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::size_t remaining_;                        // under mutex_
  Status status_ = ok();                         // under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace dyad::ps
