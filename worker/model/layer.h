#pragma once
// Post-norm transformer layers with GELU (torch.nn.TransformerEncoderLayer / TransformerDecoderLayer,
// norm_first=False), built so that nothing nobody reads is computed: a layer may answer for fewer rows than it attends
// to.
#include <string>
#include "worker/model/ops.h"

namespace dyad::worker {

struct LayerShape { std::int64_t dim = 128, heads = 4, ffn = 512; };

// Where a layer's queries come from: all rows of x, its first `first` rows, or the rows `index` (int64).
struct Queries {
  std::int64_t first = -1;
  at::Tensor index;
  bool all() const { return first < 0 && !index.defined(); }
  at::Tensor of(const at::Tensor& x) const;
};

class Layer {
 public:
  enum class Cross { kNone, kAttention, kSingle };   // kSingle: the memory is one token, so its softmax weight is 1
  Layer() = default;
  // Draws the weights as torch does. The keys and values of the memory are projected by the caller (one product for all
  // layers).
  Layer(Parameters& parameters, const std::string& name, const LayerShape& shape, Cross cross);

  // x [N, d] -> rows of the queries [Nq, d]. self: the groups of queries and keys in q and x.
  // kAttention: memory [M, 2d] holds keys | values, cross: its groups. kSingle: memory [Nq, d] is what the attention
  // adds.
  at::Tensor forward(Pass& pass, const at::Tensor& x, const Queries& queries, const AttentionShape& self,
                     const at::Tensor& memory = {}, const AttentionShape* cross = nullptr) const;

  // Decoding: x [N, d] are new tokens. Appends their keys | values to `cache` [.., 2d]; self.key indexes rows of it.
  at::Tensor step(Pass& pass, const at::Tensor& x, at::Tensor& cache, const AttentionShape& self,
                  const at::Tensor& memory, const AttentionShape& cross) const;

 private:
  at::Tensor self_attention(Pass& pass, const at::Tensor& x, const at::Tensor& q_rows, bool all,
                            const AttentionShape& self) const;
  at::Tensor after_self_attention(Pass& pass, at::Tensor h, const at::Tensor& attended, const at::Tensor& memory,
                                  const AttentionShape* cross) const;
  LayerShape shape_;
  Cross cross_ = Cross::kNone;
  Parameter *in_w_ = nullptr, *in_b_ = nullptr, *out_w_ = nullptr, *out_b_ = nullptr, *gamma1_ = nullptr,
            *beta1_ = nullptr;
  Parameter *q_w_ = nullptr, *q_b_ = nullptr, *cross_out_w_ = nullptr, *cross_out_b_ = nullptr, *gamma2_ = nullptr,
            *beta2_ = nullptr;
  Parameter *up_w_ = nullptr, *up_b_ = nullptr, *down_w_ = nullptr, *down_b_ = nullptr, *gamma3_ = nullptr,
            *beta3_ = nullptr;
};

// torch.nn.Linear's initial bound, and that of MultiheadAttention's joint input projection.
double linear_bound(std::int64_t in);
double attention_bound(std::int64_t dim);

}  // namespace dyad::worker
