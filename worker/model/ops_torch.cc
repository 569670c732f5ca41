// The operations of ops.h in plain LibTorch: the reference, and what runs on a GPU.
#include <algorithm>
#include <cmath>
#include "worker/model/ops.h"

namespace dyad::worker::ops_torch {
namespace {

at::Tensor multiply32(const at::Tensor& x, std::int64_t factor) { return x.mul(factor).bitwise_and_(0xffffffffll); }

// The same 32-bit hash as kernels/hash.h, in int64 arithmetic.
at::Tensor hash32(at::Tensor x) {
  x = multiply32(x.bitwise_xor(x.bitwise_right_shift(16)), 0x7feb352d);
  x = multiply32(x.bitwise_xor(x.bitwise_right_shift(15)), 0x846ca68b);
  return x.bitwise_xor(x.bitwise_right_shift(16));
}

// [G, count] row numbers of each group's rows, those past the group's size pointing at row 0.
struct Padded { at::Tensor index, valid; };
Padded padded(const AttentionRows& rows, std::int64_t groups, at::Device device) {
  const auto slot = at::arange(rows.count, at::TensorOptions(at::kLong).device(device)).unsqueeze(0);
  at::Tensor index =
      rows.index.defined() ? rows.index.to(at::kLong) : rows.begin.to(at::kLong).unsqueeze(1) + slot * rows.step;
  at::Tensor valid = rows.size.defined() ? slot < rows.size.unsqueeze(1)
                                         : at::ones({groups, rows.count}, index.options().dtype(at::kBool));
  return {at::where(valid, index, at::zeros_like(index)), valid};
}

at::Tensor visible_mask(const AttentionShape& shape, const at::Tensor& key_valid) {   // [G, 1, Sq or 1, Sk]
  at::Tensor mask = key_valid.unsqueeze(1).unsqueeze(1);
  if (shape.visible.empty()) return mask;
  std::vector<std::int64_t> bits;
  for (std::int64_t i = 0; i < shape.query.count; ++i)
    for (std::int64_t j = 0; j < shape.key.count; ++j) bits.push_back((shape.visible[i] >> j) & 1);
  const at::Tensor seen = at::tensor(bits, at::kLong).view({shape.query.count, shape.key.count}).to(at::kBool);
  return mask.logical_and(seen.to(key_valid.device()));
}

}  // namespace

at::Tensor dropout_mask(std::uint64_t seed, double p, at::IntArrayRef shape, const at::TensorOptions& options) {
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  const auto low = static_cast<std::int64_t>(seed & 0xffffffffu), high = static_cast<std::int64_t>(seed >> 32);
  at::Tensor x = at::arange(n, at::TensorOptions(at::kLong).device(options.device()));
  x = hash32(multiply32(x, 0x9e3779b9ll).bitwise_xor(low).add(high).bitwise_and(0xffffffffll));
  const auto threshold = static_cast<std::int64_t>(std::llround(p * 4294967296.0));
  return x.ge(threshold).to(options.dtype()).mul(1.0 / (1.0 - p)).view(shape);
}

namespace {
at::Tensor dropout(std::uint64_t seed, double p, const at::Tensor& x) {
  return p > 0 ? x * dropout_mask(seed, p, x.sizes(), x.options()) : x;
}
}  // namespace

at::Tensor attention(std::uint64_t seed, double p, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionShape& shape) {
  const std::int64_t g = shape.groups, h = shape.heads, d = q.size(1), e = d / h, sq = shape.query.count,
                     sk = shape.key.count;
  const Padded query = padded(shape.query, g, q.device()), key = padded(shape.key, g, q.device());
  const auto split = [&](const at::Tensor& x, const Padded& rows, std::int64_t s) {       // -> [G, heads, S, e]
    return x.index_select(0, rows.index.flatten()).view({g, s, h, e}).transpose(1, 2);
  };
  at::Tensor score =
      at::matmul(split(q, query, sq), split(k, key, sk).transpose(2, 3)) / std::sqrt(static_cast<double>(e));
  score = score.masked_fill(visible_mask(shape, key.valid).logical_not(), -INFINITY);
  at::Tensor weight = dropout(seed, p, at::softmax(score, -1));
  at::Tensor out = at::matmul(weight, split(v, key, sk)).transpose(1, 2).reshape({g * sq, d});
  const at::Tensor chosen = query.valid.flatten().nonzero().flatten();                    // group-major rows that exist
  const at::Tensor place = query.index.flatten().index_select(0, chosen);
  return at::zeros({q.size(0), d}, q.options()).index_copy(0, place, out.index_select(0, chosen));
}

at::Tensor residual_norm(std::uint64_t seed, double p, const at::Tensor& x, const at::Tensor& y,
                         const at::Tensor& gamma, const at::Tensor& beta) {
  const auto wide = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return at::layer_norm(x.to(wide) + dropout(seed, p, y.to(wide)), {x.size(1)}, gamma, beta, kNormEps)
      .to(x.scalar_type());
}

at::Tensor gelu_dropout(std::uint64_t seed, double p, const at::Tensor& x) { return dropout(seed, p, at::gelu(x)); }

at::Tensor embed(std::uint64_t seed, double p, const ops::Embedding& e, at::ScalarType type) {
  at::Tensor table = e.rows, index = e.index.to(at::kLong);
  if (e.special.defined()) {
    table = at::cat({e.rows, e.special});
    index = at::where(index.lt(0), index.neg() + (e.rows.size(0) - 1), index);
  }
  at::Tensor x = table.index_select(0, index) + e.position.index_select(0, e.position_index.to(at::kLong));
  if (e.gamma) x = at::layer_norm(x, {x.size(1)}, e.gamma->value, e.beta->value, kNormEps);
  return (e.drop ? dropout(seed, p, x) : x).to(type);
}

namespace {
struct ChildLogP { at::Tensor log_p, none, begin, size; };   // [N, M], padded with -inf where none
ChildLogP padded_log_softmax(const at::Tensor& h, const at::Tensor& rows, const ops::Children& children) {
  const at::Tensor begin = children.begin.to(at::kLong), size = children.end.to(at::kLong) - begin;
  const std::int64_t most = size.numel() ? size.max().item<std::int64_t>() : 1;
  const at::Tensor slot = at::arange(most, begin.options()).unsqueeze(0);
  const at::Tensor none = slot >= size.unsqueeze(1);
  const at::Tensor index = (begin.unsqueeze(1) + slot).masked_fill(none, 0);
  const at::Tensor child = rows.index_select(0, index.flatten()).view({h.size(0), most, rows.size(1)});
  const at::Tensor logit =
      at::bmm(child, h.to(rows.scalar_type()).unsqueeze(2)).squeeze(2).masked_fill(none, -INFINITY);
  return {at::log_softmax(logit, 1), none, begin, size};
}
}  // namespace

at::Tensor tree_softmax(const at::Tensor& h, const at::Tensor& rows, const ops::Children& children, double smoothing) {
  const ChildLogP c = padded_log_softmax(h, rows, children);
  const at::Tensor loss = -c.log_p.gather(1, (children.code.to(at::kLong) - c.begin).unsqueeze(1)).squeeze(1);
  if (smoothing == 0) return loss;
  return loss * (1 - smoothing) - c.log_p.masked_fill(c.none, 0).sum(1) / c.size * smoothing;
}

at::Tensor child_log_softmax(const at::Tensor& h, const at::Tensor& rows, const ops::Children& children) {
  std::vector<at::Tensor> parts;                             // pieces, so that the gathered rows stay small
  for (std::int64_t i = 0; i < h.size(0); i += 1024) {
    const std::int64_t n = std::min<std::int64_t>(1024, h.size(0) - i);
    const ChildLogP c =
        padded_log_softmax(h.narrow(0, i, n), rows, {children.begin.narrow(0, i, n), children.end.narrow(0, i, n), {}});
    parts.push_back(c.log_p.masked_select(c.none.logical_not()).to(at::kFloat).cpu());
  }
  return at::cat(parts);
}

}  // namespace dyad::worker::ops_torch
