#pragma once
// Sums dense gradients over the ranks in buckets, each started as soon as the backward pass has filled it, so that the
// sums run beside the rest of the backward pass. Gradients live in one flat buffer per bucket; a parameter's grad() is
// a view into it. Buckets start in a fixed order (last parameters first), whatever the order in which they fill: all
// ranks start the same sums in the same order. Buckets whose sum has not ended well are never freed: other ranks may
// still write there. Threads: one.  Ownership: borrows the parameters' storage, owns the buckets, borrows the
// collective.
#include <span>
#include <torch/torch.h>
#include <vector>
#include "common/comm/collective.h"

namespace dyad::worker {

class GradientReducer {
 public:
  // `stats`: floats that are summed with the last bucket's start (losses, flags).
  GradientReducer(std::vector<torch::Tensor> parameters, comm::Collective& all, double bucket_mb, std::size_t stats);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  void begin();                                 // before the backward pass: gradients become zero
  Status finish(std::span<float> stats);        // after it: waits; gradients and stats are sums over ranks
  std::size_t buckets() const { return buckets_.size(); }

 private:
  struct Bucket {
    torch::Tensor flat;
    std::size_t parameters = 0, filled = 0;
  };
  void fill(std::size_t bucket);
  void start_ready(bool all);

  comm::Collective& all_;
  std::vector<torch::Tensor> parameters_;
  std::vector<Bucket> buckets_;
  std::size_t next_ = 0;                        // the first bucket whose sum has not started
  bool active_ = false, pending_ = false;       // pending: a sum was started and not waited for
  torch::Tensor stats_, moved_;                 // moved: the stats on the device
  std::vector<std::shared_ptr<torch::autograd::Node>> accumulators_;   // kept alive: the hooks hang on them
  std::vector<std::pair<std::size_t, uintptr_t>> hooks_;
};

}  // namespace dyad::worker
