#pragma once
// Writes cuts to disk one after another on a thread of low priority, while the shards go on serving.
// Threads: write() from any; `done` is called on the writer's thread.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include "ps/cut.h"
#include "ps/metrics.h"

namespace dyad::ps {

class CutWriter {
 public:
  using Done = std::function<void(Step, Result<std::vector<wire::FilePart>>)>;
  using Folder = std::function<std::filesystem::path(Step)>;
  CutWriter(wire::Partition partition, std::vector<GroupId> groups, Folder folder, Done done, Metrics& metrics);
  ~CutWriter();                                  // writes what was given first, or what is left of it after drop()
  void write(std::shared_ptr<const Cut> cut);
  std::optional<Step> writing() const;           // the cut it is at
  void drop();                                   // what is not written by now is not wanted any more

 private:
  Result<std::vector<wire::FilePart>> write(const Cut& cut);
  void work();
  wire::Partition partition_;
  std::vector<GroupId> groups_;
  Folder folder_;
  Done done_;
  Metrics& metrics_;
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::shared_ptr<const Cut>> cuts_;
  std::optional<Step> writing_;                  // under mutex_
  bool stopping_ = false;
  std::atomic<bool> dropped_{false};
  std::thread thread_;
};

}  // namespace dyad::ps
