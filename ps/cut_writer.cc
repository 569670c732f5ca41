#include "ps/cut_writer.h"

#include <sys/resource.h>
#include <unistd.h>
#include "common/base/clock.h"
#include "common/ckpt/persist.h"

namespace dyad::ps {

CutWriter::CutWriter(wire::Partition partition, std::vector<GroupId> groups, Folder folder, Done done, Metrics& metrics)
    : partition_(partition),
      groups_(std::move(groups)),
      folder_(std::move(folder)),
      done_(std::move(done)),
      metrics_(metrics),
      thread_([this] { work(); }) {}

CutWriter::~CutWriter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_one();
  thread_.join();
}

void CutWriter::write(std::shared_ptr<const Cut> cut) {
  {
    std::lock_guard lock(mutex_);
    cuts_.push_back(std::move(cut));
  }
  more_.notify_one();
}

void CutWriter::work() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);   // of this thread alone, on Linux
  while (true) {
    std::shared_ptr<const Cut> cut;
    {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [this] { return stopping_ || !cuts_.empty(); });
      if (cuts_.empty()) return;
      cut = std::move(cuts_.front());
      cuts_.pop_front();
    }
    const double start = steady_now_s();
    const Step step = cut->step;
    auto parts = ckpt::persist<std::vector<wire::FilePart>>(
        fmt::format("cut {}", cut->step), [&] { return write_cut(folder_(step), *cut, partition_, groups_); },
        [this] {
          std::lock_guard lock(mutex_);
          return stopping_ || !cuts_.empty();
        });
    cut.reset();                                   // the slabs that only it held
    metrics_.cut.add(steady_now_s() - start);
    ++metrics_.cuts;
    if (parts) for (const auto& part : parts.value()) metrics_.cut_bytes += part.bytes;
    done_(step, std::move(parts));
  }
}

}  // namespace dyad::ps
