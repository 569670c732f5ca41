// Chooses between the kernels and plain LibTorch for each operation.
#include "worker/model/ops.h"
#include "common/base/random.h"

namespace dyad::worker {

std::uint64_t Pass::next_seed() { return mix64(seed, ++site); }

namespace ops {

at::Tensor linear(Pass& pass, const at::Tensor& x, const Parameter* w, const Parameter* b) {
  return pass.kernels ? ops_kernels::linear(x, w->cast, b->cast) : at::linear(x, w->cast, b->cast);
}

at::Tensor attention(Pass& pass, const at::Tensor& q, const at::Tensor& kv, const AttentionShape& shape) {
  if (pass.kernels) return ops_kernels::attention(pass.next_seed(), pass.dropout, q, kv, shape);
  const auto parts = kv.split(q.size(1), 1);
  return ops_torch::attention(pass.next_seed(), pass.dropout, q, parts[0], parts[1], shape);
}

at::Tensor self_attention(Pass& pass, const at::Tensor& qkv, const AttentionShape& shape) {
  if (pass.kernels) return ops_kernels::self_attention(pass.next_seed(), pass.dropout, qkv, shape);
  const auto parts = qkv.split(qkv.size(1) / 3, 1);
  return ops_torch::attention(pass.next_seed(), pass.dropout, parts[0], parts[1], parts[2], shape);
}

at::Tensor residual_norm(Pass& pass, const at::Tensor& x, const at::Tensor& y, const Parameter* gamma,
                         const Parameter* beta) {
  const auto run = pass.kernels ? ops_kernels::residual_norm : ops_torch::residual_norm;
  return run(pass.next_seed(), pass.dropout, x, y, gamma->value, beta->value);
}

at::Tensor gelu_dropout(Pass& pass, const at::Tensor& x) {
  return (pass.kernels ? ops_kernels::gelu_dropout : ops_torch::gelu_dropout)(pass.next_seed(), pass.dropout, x);
}

at::Tensor embed(Pass& pass, const Embedding& e) {
  return (pass.kernels ? ops_kernels::embed : ops_torch::embed)(pass.next_seed(), pass.dropout, e, pass.type);
}

at::Tensor tree_softmax(Pass& pass, const at::Tensor& h, const at::Tensor& rows, const Children& children,
                        double smoothing) {
  return (pass.kernels ? ops_kernels::tree_softmax : ops_torch::tree_softmax)(h, rows, children, smoothing);
}

at::Tensor child_log_softmax(Pass& pass, const at::Tensor& h, const at::Tensor& rows, const Children& children) {
  at::NoGradGuard no_grad;
  return (pass.kernels ? ops_kernels::child_log_softmax : ops_torch::child_log_softmax)(h, rows, children);
}

}  // namespace ops
}  // namespace dyad::worker
