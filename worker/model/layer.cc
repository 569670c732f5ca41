#include "worker/model/layer.h"
#include <cmath>

namespace dyad::worker {

double linear_bound(std::int64_t in) { return 1.0 / std::sqrt(static_cast<double>(in)); }
double attention_bound(std::int64_t dim) {
  return std::sqrt(6.0 / (4.0 * static_cast<double>(dim)));
}  // Xavier, [3d, d]

at::Tensor Queries::of(const at::Tensor& x) const {
  if (index.defined()) return x.index_select(0, index);
  return first < 0 ? x : x.narrow(0, 0, first);
}

Layer::Layer(Parameters& p, const std::string& name, const LayerShape& shape, Cross cross)
    : shape_(shape), cross_(cross) {
  const std::int64_t d = shape.dim, f = shape.ffn;
  in_w_ = p.uniform(name + ".self.in.weight", {3 * d, d}, attention_bound(d));
  in_b_ = p.uniform(name + ".self.in.bias", {3 * d}, 0);
  out_w_ = p.uniform(name + ".self.out.weight", {d, d}, linear_bound(d));
  out_b_ = p.uniform(name + ".self.out.bias", {d}, 0);
  gamma1_ = p.constant(name + ".norm1.weight", {d}, 1);
  beta1_ = p.constant(name + ".norm1.bias", {d}, 0);
  if (cross == Cross::kAttention) {
    q_w_ = p.uniform(name + ".cross.query.weight", {d, d}, attention_bound(d));
    q_b_ = p.uniform(name + ".cross.query.bias", {d}, 0);
    cross_out_w_ = p.uniform(name + ".cross.out.weight", {d, d}, linear_bound(d));
    cross_out_b_ = p.uniform(name + ".cross.out.bias", {d}, 0);
  }
  if (cross != Cross::kNone) {
    gamma2_ = p.constant(name + ".norm2.weight", {d}, 1);
    beta2_ = p.constant(name + ".norm2.bias", {d}, 0);
  }
  up_w_ = p.uniform(name + ".ffn.up.weight", {f, d}, linear_bound(d));
  up_b_ = p.uniform(name + ".ffn.up.bias", {f}, linear_bound(d));
  down_w_ = p.uniform(name + ".ffn.down.weight", {d, f}, linear_bound(f));
  down_b_ = p.uniform(name + ".ffn.down.bias", {d}, linear_bound(f));
  gamma3_ = p.constant(name + ".norm3.weight", {d}, 1);
  beta3_ = p.constant(name + ".norm3.bias", {d}, 0);
}

at::Tensor Layer::self_attention(Pass& pass, const at::Tensor& x, const at::Tensor& q_rows, bool all,
                                 const AttentionShape& self) const {
  const std::int64_t d = shape_.dim;
  if (all) return ops::self_attention(pass, ops::linear(pass, x, in_w_, in_b_), self);
  const auto w = in_w_->cast.split_with_sizes({d, 2 * d}), b = in_b_->cast.split_with_sizes({d, 2 * d});
  const Parameter w_q{{}, w[0]}, b_q{{}, b[0]}, w_kv{{}, w[1]}, b_kv{{}, b[1]};
  return ops::attention(pass, ops::linear(pass, q_rows, &w_q, &b_q), ops::linear(pass, x, &w_kv, &b_kv), self);
}

at::Tensor Layer::forward(Pass& pass, const at::Tensor& x, const Queries& queries, const AttentionShape& self,
                          const at::Tensor& memory, const AttentionShape* cross) const {
  const at::Tensor h = queries.of(x);
  return after_self_attention(pass, h, self_attention(pass, x, h, queries.all(), self), memory, cross);
}

at::Tensor Layer::step(Pass& pass, const at::Tensor& x, at::Tensor& cache, const AttentionShape& self,
                       const at::Tensor& memory, const AttentionShape& cross) const {
  const std::int64_t d = shape_.dim;
  const auto qkv = ops::linear(pass, x, in_w_, in_b_).split_with_sizes({d, 2 * d}, 1);
  cache = cache.defined() ? at::cat({cache, qkv[1]}) : qkv[1].contiguous();
  return after_self_attention(pass, x, ops::attention(pass, qkv[0].contiguous(), cache, self), memory, &cross);
}

at::Tensor Layer::after_self_attention(Pass& pass, at::Tensor h, const at::Tensor& attended, const at::Tensor& memory,
                                       const AttentionShape* cross) const {
  h = ops::residual_norm(pass, h, ops::linear(pass, attended, out_w_, out_b_), gamma1_, beta1_);
  if (cross_ == Cross::kAttention) {
    const at::Tensor c = ops::attention(pass, ops::linear(pass, h, q_w_, q_b_), memory, *cross);
    h = ops::residual_norm(pass, h, ops::linear(pass, c, cross_out_w_, cross_out_b_), gamma2_, beta2_);
  } else if (cross_ == Cross::kSingle) {
    h = ops::residual_norm(pass, h, memory, gamma2_, beta2_);
  }
  const at::Tensor up = ops::gelu_dropout(pass, ops::linear(pass, h, up_w_, up_b_));
  return ops::residual_norm(pass, h, ops::linear(pass, up, down_w_, down_b_), gamma3_, beta3_);
}

}  // namespace dyad::worker
