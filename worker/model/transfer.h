#pragma once
// STT, the semantic-guided transfer task (EAGER section 3.4): a bidirectional transformer over CLS, y_1 .. y_L of the
// behaviour stream that attends to the semantic summary. It reconstructs masked codes and recognises replaced ones.
// The summary is one token, so the softmax of the cross-attention is 1 whatever the query: attention is W_o (W_v g +
// b_v)
// + b_o, computed once a sample, and there are no query and key weights.
#include "worker/model/batch_tensors.h"
#include "worker/model/layer.h"

namespace dyad::worker {

struct TransferLosses { at::Tensor recon, recog; };   // sums over the samples; recon: mean over a sample's masked codes

class Transfer {
 public:
  Transfer() = default;
  Transfer(Parameters& parameters, const LayerShape& shape, std::int64_t layers, std::int64_t levels, double init_std);
  // summary [B, d]: semantic EOS. rows [n, d]: behaviour code rows.
  TransferLosses forward(Pass& pass, const Batch& batch, const TransferTensors& t, const at::Tensor& rows,
                         const at::Tensor& summary) const;

 private:
  at::Tensor run(Pass& pass, const Batch& batch, const TransferTensors& t, const at::Tensor& rows,
                 const at::Tensor& summary) const;
  LayerShape shape_;
  Parameter *special_ = nullptr, *position_ = nullptr, *guide_w_ = nullptr, *guide_b_ = nullptr, *judge_w_ = nullptr,
            *judge_b_ = nullptr;
  struct Memory { Parameter *value_w, *value_b, *out_w, *out_b; };
  std::vector<Memory> memory_;
  std::vector<Layer> layers_;
};

}  // namespace dyad::worker
