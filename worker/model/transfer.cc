#include "worker/model/transfer.h"

namespace dyad::worker {

Transfer::Transfer(Parameters& p, const LayerShape& shape, std::int64_t layers, std::int64_t levels, double init_std)
    : shape_(shape) {
  const std::int64_t d = shape.dim;
  special_ = p.normal("transfer.special", {2, d}, init_std);                 // CLS, MASK
  position_ = p.normal("transfer.position", {levels + 1, d}, init_std);
  guide_w_ = p.uniform("transfer.guide.weight", {d, d}, linear_bound(d));
  guide_b_ = p.uniform("transfer.guide.bias", {d}, linear_bound(d));
  judge_w_ = p.uniform("transfer.judge.weight", {1, d}, linear_bound(d));
  judge_b_ = p.uniform("transfer.judge.bias", {1}, linear_bound(d));
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string name = "transfer." + std::to_string(i);
    memory_.push_back({p.uniform(name + ".cross.value.weight", {d, d}, attention_bound(d)),
                       p.uniform(name + ".cross.value.bias", {d}, 0),
                       p.uniform(name + ".cross.out.weight", {d, d}, linear_bound(d)),
                       p.uniform(name + ".cross.out.bias", {d}, 0)});
    layers_.emplace_back(p, name, shape, Layer::Cross::kSingle);
  }
}

// -> [mB + 2B, d]: the masked slots, CLS of the real paths, CLS of the replaced ones.
at::Tensor Transfer::run(Pass& pass, const Batch& batch, const TransferTensors& t, const at::Tensor& rows,
                         const at::Tensor& summary) const {
  const auto sequences = static_cast<std::int64_t>(3 * batch.size), slots = static_cast<std::int64_t>(batch.levels + 1);
  at::Tensor x = ops::embed(pass, {.rows = rows,
                                   .special = special_->value,
                                   .index = t.token,
                                   .position = position_->value,
                                   .position_index = t.position,
                                   .drop = false});
  const at::Tensor guide = ops::linear(pass, summary, guide_w_, guide_b_);
  const at::Tensor begin = at::arange(sequences, t.token.options());
  AttentionShape self{sequences, shape_.heads, {sequences, slots, begin, {}}, {sequences, slots, begin, {}}, {}};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Memory& m = memory_[i];
    const at::Tensor added =
        ops::linear(pass, ops::linear(pass, guide, m.value_w, m.value_b), m.out_w, m.out_b);  // [B, d]
    const bool last = i + 1 == layers_.size();
    if (last)
      self.query = {1, std::max<std::int64_t>(1, static_cast<std::int64_t>(batch.transfer.masked_count)), t.query_begin,
                    t.query_size};
    const at::Tensor each = last ? added.index_select(0, t.query_sample) : added.repeat({slots * 3, 1});
    x = layers_[i].forward(pass, x, last ? Queries{-1, t.query} : Queries{}, self, each);
  }
  return x;
}

TransferLosses Transfer::forward(Pass& pass, const Batch& batch, const TransferTensors& t, const at::Tensor& rows,
                                 const at::Tensor& summary) const {
  const auto size = static_cast<std::int64_t>(batch.size),
             count = static_cast<std::int64_t>(batch.transfer.masked_count);
  const at::Tensor h = run(pass, batch, t, rows, summary);
  const at::Tensor masked = h.narrow(0, 0, size * count);
  at::Tensor recon;
  if (t.negative.defined()) {                                  // InfoNCE against sampled codes of the same level
    const at::Tensor candidate =
        rows.index_select(0, t.negative.flatten()).view({size * count, t.negative.size(1), shape_.dim});
    const at::Tensor logit = at::bmm(candidate, masked.to(rows.scalar_type()).unsqueeze(2)).squeeze(2);
    recon = at::logsumexp(logit, 1) - logit.select(1, 0);
  } else {
    recon = ops::tree_softmax(pass, masked, rows, t.masked, 0);
  }
  const at::Tensor cls =
      ops::linear(pass, h.narrow(0, size * count, 2 * size), judge_w_, judge_b_).to(rows.scalar_type()).flatten();
  const at::Tensor recog =
      at::softplus(-cls.narrow(0, 0, size)).sum() + at::softplus(cls.narrow(0, size, size)).sum();  // BCE of 1, of 0
  return {recon.sum() / count, recog};
}

}  // namespace dyad::worker
