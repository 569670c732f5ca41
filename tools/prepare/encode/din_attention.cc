#include "tools/prepare/encode/din_attention.h"
#include <torch/csrc/autograd/custom_function.h>
#include <algorithm>
#include "tools/prepare/codes/matrix.h"

namespace dyad::encode {
namespace {
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kRows = 128;      // of a piece: with N = 128 and m = 8 its products are 590 KB, within an L2
constexpr std::int64_t kColumns = 128;   // of a piece of the gradient of the keys

// Calls work(first, count) for the pieces of [0, n).
template <class Work> void for_pieces(std::int64_t n, std::int64_t size, std::int64_t threads, const Work& work) {
  const auto pieces = static_cast<std::size_t>((n + size - 1) / size);
  codes::parallel_for(pieces, static_cast<unsigned>(threads), [&](std::size_t piece) {
    at::set_num_threads(1);                    // of LibTorch inside this thread, which may be a new one
    const at::NoGradGuard no_gradients;
    const std::int64_t first = static_cast<std::int64_t>(piece) * size;
    work(first, std::min(size, n - first));
  });
}

// The loops over one history row. x = z + offset are the numbers before the PReLU; side is its slope at x.
struct Unit {
  std::int64_t m, n;
  const float *offset, *out;   // [m, n], [m]
  float slope;

  void forward(const float* z, float* weight) const {
    std::fill_n(weight, n, 0.0f);
    for (std::int64_t j = 0; j < m; ++j) forward(n, z + j * n, offset + j * n, out[j], slope, weight);
  }
  // z [m, n] becomes its gradient. sums [3, m, n], to be added to: that gradient, d * prelu(x), d * min(x, 0).
  void backward(const float* d, float* z, float* sums) const {
    for (std::int64_t j = 0; j < m; ++j)
      backward(n, d, offset + j * n, out[j], slope, z + j * n, sums + j * n, sums + (m + j) * n,
               sums + (2 * m + j) * n);
  }

 private:   // of one hidden unit: on locals alone and without aliases, or GCC does not vectorize them (7% of a step)
  static void forward(std::int64_t n, const float* z, const float* offset, float out, float slope,
                      float* __restrict weight) {
    for (std::int64_t i = 0; i < n; ++i) {
      const float x = z[i] + offset[i], side = x > 0 ? 1 : slope;
      weight[i] += out * x * side;
    }
  }
  static void backward(std::int64_t n, const float* d, const float* offset, float out, float slope, float* __restrict z,
                       float* __restrict of_z, float* __restrict of_out, float* __restrict of_slope) {
    for (std::int64_t i = 0; i < n; ++i) {
      const float x = z[i] + offset[i], low = std::min(x, 0.0f), side = x > 0 ? 1 : slope;
      z[i] = d[i] * out * side;
      of_z[i] += z[i];
      of_out[i] += d[i] * x * side;
      of_slope[i] += d[i] * low;
    }
  }
};

struct Function : torch::autograd::Function<Function> {
  static Unit unit(const Tensor& offset, const Tensor& slope, const Tensor& out) {
    return {offset.size(0), offset.size(1), offset.const_data_ptr<float>(), out.const_data_ptr<float>(),
            slope.item<float>()};
  }

  static variable_list forward(AutogradContext* context, const Tensor& rows_, const Tensor& keys_,
                               const Tensor& offset_, const Tensor& slope, const Tensor& out_, std::int64_t threads) {
    const auto rows = rows_.contiguous(), keys = keys_.contiguous().flatten(0, 1), offset = offset_.contiguous(),
               out = out_.contiguous();
    const Unit f = unit(offset, slope, out);
    auto z = torch::empty({rows.size(0), keys.size(0)}), weight = torch::empty({rows.size(0), f.n}),
         product = torch::empty_like(weight);
    for_pieces(rows.size(0), kRows, threads, [&](std::int64_t first, std::int64_t count) {
      auto piece = z.narrow(0, first, count);
      at::mm_out(piece, rows.narrow(0, first, count), keys.t());
      for (std::int64_t u = first; u < first + count; ++u) {
        const float* at = z.const_data_ptr<float>() + u * z.size(1);
        f.forward(at, weight.mutable_data_ptr<float>() + u * f.n);
        std::copy_n(at + f.m * f.n, f.n, product.mutable_data_ptr<float>() + u * f.n);
      }
    });
    context->save_for_backward({rows, keys, offset, slope, out});
    context->saved_data["z"] = z;
    context->saved_data["threads"] = threads;
    return {weight, product};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &rows = saved[0], &keys = saved[1], z = context->saved_data.at("z").toTensor();
    const std::int64_t threads = context->saved_data.at("threads").toInt();
    context->saved_data.clear();
    const auto d_weight = gradients[0].contiguous(), d_product = gradients[1].contiguous();
    const Unit f = unit(saved[2], saved[3], saved[4]);
    auto d_rows = torch::empty_like(rows), d_keys = torch::empty_like(keys),
         sums = torch::zeros({(rows.size(0) + kRows - 1) / kRows, 3, f.m, f.n});
    for_pieces(rows.size(0), kRows, threads, [&](std::int64_t first, std::int64_t count) {
      float* piece_sums = sums.mutable_data_ptr<float>() + first / kRows * 3 * f.m * f.n;
      for (std::int64_t u = first; u < first + count; ++u) {
        float* at = z.mutable_data_ptr<float>() + u * z.size(1);
        f.backward(d_weight.const_data_ptr<float>() + u * f.n, at, piece_sums);
        std::copy_n(d_product.const_data_ptr<float>() + u * f.n, f.n, at + f.m * f.n);
      }
      auto piece = d_rows.narrow(0, first, count);
      at::mm_out(piece, z.narrow(0, first, count), keys);
    });
    for_pieces(keys.size(0), kColumns, threads, [&](std::int64_t first, std::int64_t count) {
      auto piece = d_keys.narrow(0, first, count);
      at::mm_out(piece, z.narrow(1, first, count).t(), rows);
    });
    const auto sum = sums.sum(0);
    const auto d_slope = sum[2].sum(1).dot(saved[4]).view({1});
    return {d_rows, d_keys.view({f.m + 1, f.n, keys.size(1)}), sum[0], d_slope, sum[1].sum(1), {}};
  }
};

}  // namespace

PairAttention pair_attention(const Tensor& rows, const Tensor& keys, const Tensor& offset, const Tensor& slope,
                             const Tensor& out, unsigned threads) {
  const auto both = Function::apply(rows, keys, offset, slope, out, static_cast<std::int64_t>(threads));
  return {both[0], both[1]};
}

}  // namespace dyad::encode
