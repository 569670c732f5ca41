#include "ps/loading.h"

#include <new>

namespace dyad::ps {

Loading::Loading(LoadOptions options, std::vector<LoadPart> parts, std::function<void()> on_end)
    : options_(std::move(options)), parts_(std::move(parts)), on_end_(std::move(on_end)), remaining_(parts_.size()) {
  try {
    for (const LoadPart& part : parts_) threads_.emplace_back([this, &part] { work(part); });
  } catch (...) {                                // no thread to be had: those that run are ended first
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    throw;
  }
}

Loading::~Loading() {
  stop_ = true;
  for (auto& thread : threads_) thread.join();
}

std::optional<Status> Loading::end() const {
  std::lock_guard lock(mutex_);
  if (remaining_ > 0) return std::nullopt;
  return status_;
}

Status Loading::load(const LoadPart& part) const {
  const LoadOptions& o = options_;
  if (o.step == Step{0})
    return load_weights({o.checkpoint, o.manifest}, o.partition, part.groups, *part.shard, stop_);
  return load_cut(o.checkpoint, o.step, o.partition, part.groups, *part.shard, stop_);
}

void Loading::work(const LoadPart& part) {
  Status status = ok();
  try {
    status = load(part);
  } catch (const std::bad_alloc&) {
    status = fail(Code::kOverloaded,
                  "no memory for the rows of {}: {} rows in {} bytes were loaded by this thread; use more servers or "
                  "a machine with more memory",
                  options_.checkpoint.string(), part.shard->rows(), part.shard->bytes());
  }
  bool last = false;
  {
    std::lock_guard lock(mutex_);
    if (!status && status_) status_ = std::move(status);
    if (!status_) stop_ = true;
    last = --remaining_ == 0;
  }
  if (last) on_end_();
}

}  // namespace dyad::ps
