// All loops, compiled into the namespace DYAD_LOOPS once per instruction set. No #pragma once: one file includes it
// once. Only C functions and our own templates here: an inline function of the standard library compiled for AVX-512
// could be the copy that the linker keeps for everybody.
#include "worker/model/kernels/kernels.h"

namespace dyad::worker::kernels::DYAD_LOOPS { namespace {
#include "worker/model/kernels/scalar.inc"
#include "worker/model/kernels/attention.inc"
#include "worker/model/kernels/norm.inc"
#include "worker/model/kernels/gelu.inc"
#include "worker/model/kernels/tree_softmax.inc"
#include "worker/model/kernels/adam.inc"

// Calls the template for the element type.
#define DYAD_BY_TYPE(function, Args)                                                     \
  void function(const Args& a) {                                                         \
    if (a.type == Type::kBf16) function##_of<Bf16>(a); else function##_of<float>(a);     \
  }
DYAD_BY_TYPE(attention, Attention)
DYAD_BY_TYPE(attention_backward, Attention)
DYAD_BY_TYPE(residual_norm, ResidualNorm)
DYAD_BY_TYPE(residual_norm_backward, ResidualNorm)
DYAD_BY_TYPE(gelu, Gelu)
DYAD_BY_TYPE(gelu_backward, Gelu)
DYAD_BY_TYPE(embed, Embedding)
DYAD_BY_TYPE(embed_backward, Embedding)
DYAD_BY_TYPE(tree_softmax, TreeSoftmax)
DYAD_BY_TYPE(tree_softmax_backward, TreeSoftmax)
DYAD_BY_TYPE(child_log_softmax, ChildLogSoftmax)
DYAD_BY_TYPE(column_sum, ColumnSum)
#undef DYAD_BY_TYPE

constexpr Table kTable{attention,
                       attention_backward,
                       residual_norm,
                       residual_norm_backward,
                       gelu,
                       gelu_backward,
                       embed,
                       embed_backward,
                       tree_softmax,
                       tree_softmax_backward,
                       child_log_softmax,
                       column_sum,
                       adam,
                       sum_of_squares};
}}  // namespace dyad::worker::kernels::DYAD_LOOPS
