#pragma once
// The few operations the model is made of, each with two implementations of the same mathematics: hand-written CPU
// kernels (kernels/, fused, no temporary tensors) and plain LibTorch operations (any device and type). A test compares
// them. Dropout is a hash of (seed, element), so that both draw the same mask, nothing is stored for backward, and a
// step's masks are a function of (job seed, step, rank). Shapes: N rows of tokens, d width. Activations have the type
// of the pass (fp32 or bf16); rows of tables, norms and positions are fp32.
#include <torch/torch.h>
#include <cstdint>
#include <vector>
#include "worker/model/parameters.h"

namespace dyad::worker {

struct Pass {                                // one forward pass: what the operations need beside their tensors
  at::ScalarType type = at::kFloat;          // of activations and matrix products
  double dropout = 0;                        // 0 in evaluation
  std::uint64_t seed = 0;                    // of this pass's dropout
  bool kernels = true;                       // the hand-written ones; needs the CPU, fp32 or bf16
  std::uint64_t site = 0;
  std::uint64_t next_seed();                 // a seed for the next place that drops
};

// Where the rows of each attention group lie in a [N, d] tensor: group g's i-th row is begin[g] + i * step, or
// index[g][i].
struct AttentionRows {
  std::int64_t step = 1;
  std::int64_t count = 0;                    // rows of the largest group
  at::Tensor begin;                          // int32 [G]
  at::Tensor size;                           // int32 [G]; undefined: every group has `count` rows
  at::Tensor index = {};                     // int32 [G, count]: in place of begin and step (forward only)
};
struct AttentionShape {
  std::int64_t groups = 0, heads = 0;
  AttentionRows query, key;
  std::vector<std::uint32_t> visible;        // bit j of visible[i]: query i sees key j; empty: all are seen
};

namespace ops {

// x W^T + b.  x [N, in], w [out, in], b [out] -> [N, out]
at::Tensor linear(Pass& pass, const at::Tensor& x, const Parameter* w, const Parameter* b);
// Multi-head attention without its projections: softmax(q k^T / sqrt(d / heads)) v inside each group, dropout on the
// probabilities. q [Nq, d], kv [Nk, 2d] holds keys | values (a view with a row stride is fine) -> [Nq, d]
at::Tensor attention(Pass& pass, const at::Tensor& q, const at::Tensor& kv, const AttentionShape& shape);
// The same where one tensor [N, 3d] holds queries | keys | values.
at::Tensor self_attention(Pass& pass, const at::Tensor& qkv, const AttentionShape& shape);
// LayerNorm(x + dropout(y)); the post-norm residual of a transformer layer.
at::Tensor residual_norm(Pass& pass, const at::Tensor& x, const at::Tensor& y, const Parameter* gamma,
                         const Parameter* beta);
// dropout(GELU(x)), the exact GELU.
at::Tensor gelu_dropout(Pass& pass, const at::Tensor& x);

struct Embedding {
  at::Tensor rows;                           // [n, d] fp32: what was pulled
  at::Tensor special;                        // [k, d] fp32: SOS, EOS, CLS ...; may be undefined
  at::Tensor index;                          // int32 [N]: row, or -1 - i for special i
  at::Tensor position;                       // [P, d] fp32
  at::Tensor position_index;                 // int32 [N]
  const Parameter* gamma = nullptr;          // with gamma and beta: LayerNorm before dropout
  const Parameter* beta = nullptr;
  bool drop = true;
};
// dropout(norm(rows[index] + position[position_index])) -> [N, d] of the pass's type
at::Tensor embed(Pass& pass, const Embedding& e);

struct Children {  // int32 [N] each: the block of rows the softmax runs over, and the right one
  at::Tensor begin, end, code;
};
// Cross-entropy of a softmax over existing children only: -log softmax(h . rows[begin..end))[code], [N] fp32.
// Smoothing eps: (1 - eps) of that + eps of the mean over the children. h [N, d]
at::Tensor tree_softmax(Pass& pass, const at::Tensor& h, const at::Tensor& rows, const Children& children,
                        double smoothing);

// Log-probabilities of all children of each of N nodes, one after another: fp32 on the CPU, sum of (end - begin) of
// them. For decoding: no gradient.
at::Tensor child_log_softmax(Pass& pass, const at::Tensor& h, const at::Tensor& rows, const Children& children);

}  // namespace ops

// The plain LibTorch versions. dropout_mask: 0 or 1 / (1 - p), element i kept by hash(seed, i).
namespace ops_torch {
at::Tensor dropout_mask(std::uint64_t seed, double p, at::IntArrayRef shape, const at::TensorOptions& options);
at::Tensor attention(std::uint64_t seed, double p, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionShape& shape);
at::Tensor residual_norm(std::uint64_t seed, double p, const at::Tensor& x, const at::Tensor& y,
                         const at::Tensor& gamma, const at::Tensor& beta);
at::Tensor gelu_dropout(std::uint64_t seed, double p, const at::Tensor& x);
at::Tensor embed(std::uint64_t seed, double p, const ops::Embedding& e, at::ScalarType type);
at::Tensor tree_softmax(const at::Tensor& h, const at::Tensor& rows, const ops::Children& children, double smoothing);
at::Tensor child_log_softmax(const at::Tensor& h, const at::Tensor& rows, const ops::Children& children);
}  // namespace ops_torch

// The kernels, made differentiable. Gradients of `rows` are added straight to rows.grad() (created on first use) rather
// than returned, since several operations read the same large table.
namespace ops_kernels {
// Whether bf16 operands are widened to fp32 for a product, and its result rounded to bf16: on a processor that has no
// bf16 products of its own (AVX-512 BF16). There LibTorch's take 14 times as long as fp32's (Zen 3).
bool widens_bf16();
at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b, bool widen = widens_bf16());
at::Tensor attention(std::uint64_t seed, double p, const at::Tensor& q, const at::Tensor& kv,
                     const AttentionShape& shape);
at::Tensor self_attention(std::uint64_t seed, double p, const at::Tensor& qkv, const AttentionShape& shape);
at::Tensor residual_norm(std::uint64_t seed, double p, const at::Tensor& x, const at::Tensor& y,
                         const at::Tensor& gamma, const at::Tensor& beta);
at::Tensor gelu_dropout(std::uint64_t seed, double p, const at::Tensor& x);
at::Tensor embed(std::uint64_t seed, double p, const ops::Embedding& e, at::ScalarType type);
at::Tensor tree_softmax(const at::Tensor& h, const at::Tensor& rows, const ops::Children& children, double smoothing);
at::Tensor child_log_softmax(const at::Tensor& h, const at::Tensor& rows, const ops::Children& children);
}  // namespace ops_kernels

inline constexpr double kNormEps = 1e-5;     // as torch's LayerNorm

}  // namespace dyad::worker
