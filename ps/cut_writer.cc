#include "ps/cut_writer.h"

#include <new>
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

void CutWriter::drop() {
  std::lock_guard lock(mutex_);
  dropped_ = true;
  cuts_.clear();
}

std::optional<Step> CutWriter::writing() const {
  std::lock_guard lock(mutex_);
  return writing_;
}

void CutWriter::write(std::shared_ptr<const Cut> cut) {
  {
    std::lock_guard lock(mutex_);
    if (dropped_) return;
    cuts_.push_back(std::move(cut));
  }
  more_.notify_one();
}

Result<std::vector<wire::FilePart>> CutWriter::write(const Cut& cut) {
  try {
    return ckpt::persist<std::vector<wire::FilePart>>(
        fmt::format("cut {}", cut.step),
        [&] { return write_cut(folder_(cut.step), cut, partition_, groups_, dropped_); },
        [this] {
          std::lock_guard lock(mutex_);
          return stopping_ || dropped_ || !cuts_.empty();
        });
  } catch (const std::bad_alloc&) {
    return fail(Code::kOverloaded,
                "no memory to write the cut of step {}: {} rows in {} bytes are held, 32 bytes a row were asked for",
                cut.step, metrics_.rows.load(), metrics_.row_memory.load());
  }
}

void CutWriter::work() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);   // of this thread alone, on Linux
  while (true) {
    std::shared_ptr<const Cut> cut;
    {
      std::unique_lock lock(mutex_);
      writing_.reset();
      more_.wait(lock, [this] { return stopping_ || !cuts_.empty(); });
      if (cuts_.empty()) return;
      cut = std::move(cuts_.front());
      cuts_.pop_front();
      writing_ = cut->step;
    }
    const double start = steady_now_s();
    const Step step = cut->step;
    auto parts = write(*cut);
    cut.reset();                                   // the slabs that only it held
    if (dropped_) continue;
    metrics_.cut.add(steady_now_s() - start);
    ++metrics_.cuts;
    if (parts) for (const auto& part : parts.value()) metrics_.cut_bytes += part.bytes;
    done_(step, std::move(parts));
  }
}

}  // namespace dyad::ps
