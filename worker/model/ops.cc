// Chooses between the kernels and plain LibTorch for each operation.
#include "worker/model/ops.h"
#include "common/base/random.h"

namespace dyad::worker {

std::uint64_t Pass::next_seed() { return mix64(seed, ++site); }

namespace ops {

at::Tensor linear(Pass&, const at::Tensor& x, const Parameter* w, const Parameter* b) { return at::linear(x, w->cast, b->cast); }

at::Tensor attention(Pass& pass, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionShape& shape) {
  return ops_torch::attention(pass.next_seed(), pass.dropout, q, k, v, shape);
}

at::Tensor residual_norm(Pass& pass, const at::Tensor& x, const at::Tensor& y, const Parameter* gamma, const Parameter* beta) {
  return ops_torch::residual_norm(pass.next_seed(), pass.dropout, x, y, gamma->value, beta->value);
}

at::Tensor gelu_dropout(Pass& pass, const at::Tensor& x) { return ops_torch::gelu_dropout(pass.next_seed(), pass.dropout, x); }

at::Tensor embed(Pass& pass, const Embedding& e) { return ops_torch::embed(pass.next_seed(), pass.dropout, e, pass.type); }

at::Tensor tree_softmax(Pass&, const at::Tensor& h, const at::Tensor& rows, const Children& children, double smoothing) {
  return ops_torch::tree_softmax(h, rows, children, smoothing);
}

}  // namespace ops
}  // namespace dyad::worker
