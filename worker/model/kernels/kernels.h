#pragma once
// The arguments of the hand-written loops, and the table of those that suit this processor. Plain pointers, no
// LibTorch. Matrices are row-major; N rows, d columns. `void*` is float or bf16 as `type` says. Gradients named d_* are
// written, those named add_* are added to. Threads: reentrant; each call runs on the caller's thread in a fixed order
// of additions.
#include <cstdint>
#include "common/base/processor.h"

namespace dyad::worker::kernels {

enum class Type { kFp32, kBf16 };
inline constexpr std::int64_t kWidthMax = 4096;          // columns of a row that norm, embed and softmax take

struct Dropout { std::uint64_t seed = 0; float p = 0; }; // element i is kept by hash(seed, i), see hash.h

struct Rows {  // group g's i-th row is begin[g] + i * step, or index[g * count + i]
  const std::int32_t* begin = nullptr;
  const std::int32_t* index = nullptr;
  const std::int32_t* size = nullptr;                    // null: every group has `count`
  std::int64_t step = 1, count = 0;
};
struct Matrix { void* data = nullptr; std::int64_t stride = 0; };   // elements between rows

struct Attention {  // out = dropout(softmax(q k^T / sqrt(width))) v, per group and head
  Type type;
  std::int64_t groups, heads, width;                     // width of one head
  Rows query, key;
  const std::uint32_t* visible;                          // bit j of visible[i]: query i sees key j; null: all
  Dropout dropout;
  Matrix q, k, v, out;
  Matrix d_out, d_q, d_k, d_v;                           // backward only; each key row lies in one group
};

struct ResidualNorm {                                    // out = LayerNorm(x + dropout(y))
  Type type;
  std::int64_t n, d;
  Dropout dropout;
  const void *x, *y;
  const float *gamma, *beta;
  void* out;
  const void* d_out;                                     // backward only
  void *d_x, *d_y;
  float *add_gamma, *add_beta;
};

struct Gelu {                                            // out = dropout(GELU(x)), element by element
  Type type;
  std::int64_t n;
  Dropout dropout;
  const void* x;
  void* out;
  const void* d_out;
  void* d_x;
};

struct Embedding {                                       // out = dropout(norm(rows[index] + position[position_index]))
  Type type;
  std::int64_t n, d;
  Dropout dropout;
  const float *rows, *special, *position;
  const std::int32_t *index, *position_index;            // index < 0: special[-1 - index]
  const float *gamma, *beta;                             // null: no norm
  void* out;
  const void* d_out;
  float *add_rows, *add_special, *add_position, *add_gamma, *add_beta;
};

struct TreeSoftmax {                                     // loss[i] = cross-entropy over rows[begin[i] .. end[i])
  Type type;                                             // of h
  std::int64_t n, d;
  float smoothing;
  const void* h;
  const float* rows;
  const std::int32_t *begin, *end, *code;
  const std::int32_t* order;                             // the n samples, those of one block together
  const std::int64_t* offset;                            // of sample i's probabilities in `probability`
  float* probability;                                    // written by forward, read by backward
  float* loss;
  const float* d_loss;                                   // backward only
  void* d_h;
  float* add_rows;
};

struct ChildLogSoftmax {  // out[offset[i] ..] = log softmax(h_i . rows[begin[i] .. end[i]))
  Type type;
  std::int64_t n, d;
  const void* h;
  const float* rows;
  const std::int32_t *begin, *end, *order;
  const std::int64_t* offset;
  float* out;
};

struct ColumnSum { Type type; std::int64_t n, d, stride; const void* x; void* out; };   // out[j] = sum of x[., j]

struct Adam {  // decoupled weight decay; bias corrections come in step_size and root
  std::int64_t n;
  float beta1, beta2, eps, decay, step_size, root,
      scale;  // decay = 1 - lr wd; step_size = lr / (1 - beta1^t); root = sqrt(1 - beta2^t)
  const float* gradient;                                 // times `scale` (clipping)
  float *value, *m, *v;
};

struct Table {
  void (*attention)(const Attention&);
  void (*attention_backward)(const Attention&);
  void (*residual_norm)(const ResidualNorm&);
  void (*residual_norm_backward)(const ResidualNorm&);
  void (*gelu)(const Gelu&);
  void (*gelu_backward)(const Gelu&);
  void (*embed)(const Embedding&);
  void (*embed_backward)(const Embedding&);
  void (*tree_softmax)(const TreeSoftmax&);
  void (*tree_softmax_backward)(const TreeSoftmax&);
  void (*child_log_softmax)(const ChildLogSoftmax&);
  void (*column_sum)(const ColumnSum&);
  void (*adam)(const Adam&);
  double (*sum_of_squares)(const float*, std::int64_t);
};
// Once, before the first step; until then the processor's best.  REQUIRES: the processor has them.
void use(Kernels kernels);
Kernels in_use();
const Table& table();                                    // of those in use
const Table& table_v3();
const Table& table_v4();                                 // REQUIRES AVX-512

}  // namespace dyad::worker::kernels
