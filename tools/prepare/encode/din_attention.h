#pragma once
// DIN's attention unit between every row of U history items and every one of N candidates, as one differentiable
// function. In LibTorch's own operations the [U, N, m] numbers before the PReLU are written and read some ten times a
// step; here they are written once by the product, read once forward, and turned into their gradient in place.
// Threads: its own. The work is cut the same way for every number of them and LibTorch's products inside a piece are to
// stay on one, so the bits of the result do not depend on that number.
#include <torch/types.h>

namespace dyad::encode {

struct PairAttention { torch::Tensor weight, product; };   // [U, N] each
// weight[u, n] = sum_j out[j] prelu(rows[u] . keys[j, n] + offset[j, n]), product[u, n] = rows[u] . keys[m, n].
// rows [U, d], keys [m + 1, N, d], offset [m, N], slope [1], out [m], all of them float. Backward can run once.
// REQUIRES: torch::get_num_threads() == 1.
PairAttention pair_attention(const torch::Tensor& rows, const torch::Tensor& keys, const torch::Tensor& offset,
                             const torch::Tensor& slope, const torch::Tensor& out, unsigned threads);

}  // namespace dyad::encode
