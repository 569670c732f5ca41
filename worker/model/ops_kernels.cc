// Makes the loops of kernels/ differentiable: each operation is one node of the autograd graph.
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <algorithm>
#include <functional>
#include <numeric>
#include "common/base/check.h"
#include "worker/model/kernels/kernels.h"
#include "worker/model/ops.h"

namespace dyad::worker::ops_kernels {
namespace {
using torch::autograd::variable_list;
using Backward = std::function<variable_list(const at::Tensor& d_out)>;   // one gradient per input, in order

struct FusedNode : torch::autograd::Node {
  FusedNode(Backward f, torch::autograd::edge_list edges) : Node(std::move(edges)), backward(std::move(f)) {}
  variable_list apply(variable_list&& gradients) override {
    TORCH_CHECK(backward, "backward a second time through a graph that was freed");
    return gradients[0].defined() ? backward(gradients[0].contiguous()) : variable_list(num_outputs());
  }
  void release_variables() override { backward = nullptr; }
  Backward backward;
};

at::Tensor attach(at::Tensor out, const variable_list& inputs, Backward backward) {
  if (!at::GradMode::is_enabled() || !torch::autograd::any_variable_requires_grad(inputs)) return out;
  std::shared_ptr<FusedNode> node(new FusedNode(std::move(backward), torch::autograd::collect_next_edges(inputs)),
                                  torch::autograd::deleteNode);
  torch::autograd::set_history(out, node);
  return out;
}

kernels::Type type_of(at::ScalarType type) {
  CHECK(type == at::kFloat || type == at::kBFloat16);
  return type == at::kFloat ? kernels::Type::kFp32 : kernels::Type::kBf16;
}
kernels::Dropout dropout_of(std::uint64_t seed, double p) { return {seed, static_cast<float>(p)}; }
const std::int32_t* ints(const at::Tensor& t) { return t.defined() ? t.const_data_ptr<std::int32_t>() : nullptr; }
float* floats(const at::Tensor& t) { return t.defined() ? t.mutable_data_ptr<float>() : nullptr; }
kernels::Matrix matrix(const at::Tensor& t, std::int64_t column = 0) {   // from `column` on
  CHECK_EQ(t.stride(1), 1);
  return {static_cast<char*>(t.data_ptr()) + column * static_cast<std::int64_t>(t.element_size()), t.stride(0)};
}

kernels::Rows rows_of(const AttentionRows& r) { return {ints(r.begin), ints(r.index), ints(r.size), r.step, r.count}; }

kernels::Attention attention_arguments(std::uint64_t seed, double p, at::ScalarType type, std::int64_t d,
                                       const AttentionShape& s) {
  CHECK(s.visible.empty() || s.key.count <= 32);
  return {.type = type_of(type),
          .groups = s.groups,
          .heads = s.heads,
          .width = d / s.heads,
          .query = rows_of(s.query),
          .key = rows_of(s.key),
          .visible = s.visible.empty() ? nullptr : s.visible.data(),
          .dropout = dropout_of(seed, p)};
}

// Where the gradient of a table of rows is gathered.
float* row_gradient(const at::Tensor& rows, at::Tensor& keep) {
  if (!rows.requires_grad()) return floats(keep = at::zeros_like(rows));
  at::Tensor& gradient = rows.mutable_grad();
  if (!gradient.defined()) gradient = at::zeros_like(rows, rows.options().requires_grad(false));
  return floats(gradient);
}

}  // namespace

bool widens_bf16() { return kernels::in_use() != Kernels::kAvx512Bf16; }

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b, bool widen) {
  const at::ScalarType type = x.scalar_type(), product = widen ? at::kFloat : type;
  at::Tensor out;
  {
    at::NoGradGuard no_grad;
    out = at::linear(x.to(product), w.to(product), b.to(product)).to(type);
  }
  return attach(out, {x, w, b}, [=, x = x.detach(), w = w.detach()](const at::Tensor& d_out) -> variable_list {
    at::Tensor d_b = at::empty({d_out.size(1)}, d_out.options());
    kernels::table().column_sum({type_of(d_out.scalar_type()), d_out.size(0), d_out.size(1), d_out.stride(0),
                                 d_out.data_ptr(), d_b.data_ptr()});
    const at::Tensor d = d_out.to(product);
    return {d.mm(w.to(product)).to(type), d.t().mm(x.to(product)).to(type), d_b};
  });
}

at::Tensor attention(std::uint64_t seed, double p, const at::Tensor& q, const at::Tensor& kv,
                     const AttentionShape& shape) {
  const std::int64_t d = q.size(1);
  at::Tensor out = at::empty_like(q);
  kernels::Attention a = attention_arguments(seed, p, q.scalar_type(), d, shape);
  a.q = matrix(q), a.k = matrix(kv), a.v = matrix(kv, d), a.out = matrix(out);
  kernels::table().attention(a);
  return attach(out, {q, kv}, [=, q = q.detach(), kv = kv.detach()](const at::Tensor& d_out) -> variable_list {
    at::Tensor d_q = at::empty_like(q), d_kv = at::empty(kv.sizes(), kv.options());
    kernels::Attention back = attention_arguments(seed, p, q.scalar_type(), d, shape);
    back.q = matrix(q), back.k = matrix(kv), back.v = matrix(kv, d), back.d_out = matrix(d_out);
    back.d_q = matrix(d_q), back.d_k = matrix(d_kv), back.d_v = matrix(d_kv, d);
    kernels::table().attention_backward(back);
    return {d_q, d_kv};
  });
}

at::Tensor self_attention(std::uint64_t seed, double p, const at::Tensor& qkv, const AttentionShape& shape) {
  const std::int64_t d = qkv.size(1) / 3;
  at::Tensor out = at::empty({qkv.size(0), d}, qkv.options());
  kernels::Attention a = attention_arguments(seed, p, qkv.scalar_type(), d, shape);
  a.q = matrix(qkv), a.k = matrix(qkv, d), a.v = matrix(qkv, 2 * d), a.out = matrix(out);
  kernels::table().attention(a);
  return attach(out, {qkv}, [=, qkv = qkv.detach()](const at::Tensor& d_out) -> variable_list {
    at::Tensor d_qkv = at::empty_like(qkv);
    kernels::Attention back = attention_arguments(seed, p, qkv.scalar_type(), d, shape);
    back.q = matrix(qkv), back.k = matrix(qkv, d), back.v = matrix(qkv, 2 * d), back.d_out = matrix(d_out);
    back.d_q = matrix(d_qkv), back.d_k = matrix(d_qkv, d), back.d_v = matrix(d_qkv, 2 * d);
    kernels::table().attention_backward(back);
    return {d_qkv};
  });
}

at::Tensor residual_norm(std::uint64_t seed, double p, const at::Tensor& x_in, const at::Tensor& y_in,
                         const at::Tensor& gamma, const at::Tensor& beta) {
  const at::Tensor x = x_in.contiguous(), y = y_in.contiguous();
  CHECK_LE(x.size(1), kernels::kWidthMax);
  at::Tensor out = at::empty_like(x);
  kernels::ResidualNorm a{.type = type_of(x.scalar_type()),
                          .n = x.size(0),
                          .d = x.size(1),
                          .dropout = dropout_of(seed, p),
                          .x = x.data_ptr(),
                          .y = y.data_ptr(),
                          .gamma = floats(gamma),
                          .beta = floats(beta),
                          .out = out.data_ptr()};
  kernels::table().residual_norm(a);
  // the arguments' pointers stay valid: the captured tensors own them
  return attach(out, {x, y, gamma, beta},
                [a, x = x.detach(), y = y.detach(), gamma = gamma.detach()](const at::Tensor& d_out) -> variable_list {
                  kernels::ResidualNorm back = a;
                  at::Tensor d_x = at::empty_like(x), d_y = at::empty_like(y), d_gamma = at::zeros_like(gamma),
                             d_beta = at::zeros_like(gamma);
                  back.d_out = d_out.data_ptr(), back.d_x = d_x.data_ptr(), back.d_y = d_y.data_ptr();
                  back.add_gamma = floats(d_gamma), back.add_beta = floats(d_beta);
                  kernels::table().residual_norm_backward(back);
                  return {d_x, d_y, d_gamma, d_beta};
                });
}

at::Tensor gelu_dropout(std::uint64_t seed, double p, const at::Tensor& x_in) {
  const at::Tensor x = x_in.contiguous();
  at::Tensor out = at::empty_like(x);
  const kernels::Gelu a{.type = type_of(x.scalar_type()),
                        .n = x.numel(),
                        .dropout = dropout_of(seed, p),
                        .x = x.data_ptr(),
                        .out = out.data_ptr()};
  kernels::table().gelu(a);
  return attach(out, {x}, [a, x = x.detach()](const at::Tensor& d_out) -> variable_list {
    kernels::Gelu back = a;
    at::Tensor d_x = at::empty_like(x);
    back.d_out = d_out.data_ptr(), back.d_x = d_x.data_ptr();
    kernels::table().gelu_backward(back);
    return {d_x};
  });
}

at::Tensor embed(std::uint64_t seed, double p, const ops::Embedding& e, at::ScalarType type) {
  const at::Tensor special = e.special, position = e.position, gamma = e.gamma ? e.gamma->value : at::Tensor(),
                   beta = e.beta ? e.beta->value : at::Tensor();
  at::Tensor out = at::empty({e.index.size(0), e.rows.size(1)}, e.rows.options().dtype(type).requires_grad(false));
  CHECK_LE(out.size(1), kernels::kWidthMax);
  const kernels::Embedding a{.type = type_of(type),
                             .n = out.size(0),
                             .d = out.size(1),
                             .dropout = dropout_of(seed, e.drop ? p : 0),
                             .rows = floats(e.rows),
                             .special = floats(special),
                             .position = floats(position),
                             .index = ints(e.index),
                             .position_index = ints(e.position_index),
                             .gamma = floats(gamma),
                             .beta = floats(beta),
                             .out = out.data_ptr()};
  kernels::table().embed(a);
  variable_list inputs;
  for (const at::Tensor& t : {special, position, gamma, beta}) if (t.defined()) inputs.push_back(t);
  return attach(
      out, inputs,
      [=, rows = e.rows, index = e.index, position_index = e.position_index](const at::Tensor& d_out) -> variable_list {
        at::Tensor keep;
        variable_list gradients;
        const auto gradient_of = [&](const at::Tensor& t) -> float* {
          if (!t.defined()) return nullptr;
          gradients.push_back(at::zeros_like(t, t.options().requires_grad(false)));
          return floats(gradients.back());
        };
        kernels::Embedding back = a;
        back.d_out = d_out.data_ptr(), back.add_rows = row_gradient(rows, keep);
        back.add_special = gradient_of(special), back.add_position = gradient_of(position);
        back.add_gamma = gradient_of(gamma), back.add_beta = gradient_of(beta);
        kernels::table().embed_backward(back);
        return gradients;
      });
}

namespace {
// The order that puts samples of one block together, and where each one's children begin in a flat list.
struct Blocks { at::Tensor order, offset; std::int64_t total = 0; };
Blocks blocks_of(const ops::Children& children) {
  const std::int64_t n = children.begin.size(0);
  const std::int32_t *begin = ints(children.begin), *end = ints(children.end);
  Blocks out{at::empty({n}, at::kInt), at::empty({n}, at::kLong)};
  auto* order = out.order.mutable_data_ptr<std::int32_t>();
  auto* offset = out.offset.mutable_data_ptr<std::int64_t>();
  std::iota(order, order + n, 0);
  std::stable_sort(order, order + n, [=](std::int32_t i, std::int32_t j) { return begin[i] < begin[j]; });
  for (std::int64_t i = 0; i < n; ++i) {
    offset[i] = out.total;
    out.total += end[i] - begin[i];
  }
  return out;
}
}  // namespace

at::Tensor tree_softmax(const at::Tensor& h_in, const at::Tensor& rows, const ops::Children& children,
                        double smoothing) {
  const at::Tensor h = h_in.contiguous();
  CHECK_LE(h.size(1), kernels::kWidthMax);
  const Blocks blocks = blocks_of(children);
  at::Tensor probability = at::empty({blocks.total}, at::kFloat), loss = at::empty({h.size(0)}, at::kFloat);
  const kernels::TreeSoftmax a{.type = type_of(h.scalar_type()),
                               .n = h.size(0),
                               .d = h.size(1),
                               .smoothing = static_cast<float>(smoothing),
                               .h = h.data_ptr(),
                               .rows = floats(rows),
                               .begin = ints(children.begin),
                               .end = ints(children.end),
                               .code = ints(children.code),
                               .order = ints(blocks.order),
                               .offset = blocks.offset.const_data_ptr<std::int64_t>(),
                               .probability = floats(probability),
                               .loss = floats(loss)};
  kernels::table().tree_softmax(a);
  return attach(loss, {h},
                [a, rows, children, blocks, probability, h = h.detach()](const at::Tensor& d_loss) -> variable_list {
                  at::Tensor keep, d_h = at::empty_like(h);
                  kernels::TreeSoftmax back = a;
                  back.d_loss = floats(d_loss), back.d_h = d_h.data_ptr(), back.add_rows = row_gradient(rows, keep);
                  kernels::table().tree_softmax_backward(back);
                  return {d_h};
                });
}

at::Tensor child_log_softmax(const at::Tensor& h_in, const at::Tensor& rows, const ops::Children& children) {
  const at::Tensor h = h_in.contiguous();
  CHECK_LE(h.size(1), kernels::kWidthMax);
  const Blocks blocks = blocks_of(children);
  at::Tensor out = at::empty({blocks.total}, at::kFloat);
  kernels::table().child_log_softmax({.type = type_of(h.scalar_type()),
                                      .n = h.size(0),
                                      .d = h.size(1),
                                      .h = h.data_ptr(),
                                      .rows = floats(rows),
                                      .begin = ints(children.begin),
                                      .end = ints(children.end),
                                      .order = ints(blocks.order),
                                      .offset = blocks.offset.const_data_ptr<std::int64_t>(),
                                      .out = floats(out)});
  return out;
}

}  // namespace dyad::worker::ops_kernels
