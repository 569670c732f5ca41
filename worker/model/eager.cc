#include "worker/model/eager.h"
#include <cmath>
#include "common/base/check.h"

namespace dyad::worker {
namespace {
const char* kStreamName[2] = {"behaviour", "semantic"};
}

std::vector<std::string> loss_names(std::int64_t levels) {
  std::vector<std::string> names;
  for (const char* stream : kStreamName)
    for (std::int64_t l = 1; l <= levels; ++l) names.push_back(std::string("gen.") + stream + "." + std::to_string(l));
  for (const char* name : {"con", "recon", "recog"}) names.push_back(name);
  return names;
}

at::Tensor contrast_targets(at::Tensor x) {
  CHECK(x.scalar_type() == at::kFloat);
  x.sub_(x.mean(0, true));
  x.div_(x.norm(2, 1, true).clamp_min(1e-12));
  return x.mul_(std::sqrt(static_cast<double>(x.size(1))));
}

Eager::Eager(const ModelOptions& options, std::array<at::Tensor, 2> targets)
    : options_(options), targets_(std::move(targets)), parameters_(options.seed, options.device) {
  const config::Model& m = options_.model;
  CHECK_EQ(m.dim % m.heads, 0u);
  shape_ = {m.dim, m.heads, m.ffn};
  const std::int64_t d = m.dim, memories = 2 * m.decoder_layers;
  position_ = parameters_.normal("position", {m.history, d}, m.init_std);
  norm_w_ = parameters_.constant("norm.weight", {d}, 1);
  norm_b_ = parameters_.constant("norm.bias", {d}, 0);
  for (std::uint32_t i = 0; i < m.encoder_layers; ++i)
    encoder_.emplace_back(parameters_, "encoder." + std::to_string(i), shape_, Layer::Cross::kNone);
  memory_w_ =
      parameters_.uniform("memory.weight", {memories * 2 * d, d}, attention_bound(d));  // stream, layer, key | value
  memory_b_ = parameters_.uniform("memory.bias", {memories * 2 * d}, 0);
  for (int s = 0; s < 2; ++s) make_stream(s);
  if (m.stt) transfer_ = Transfer(parameters_, shape_, m.stt_layers, options_.levels, m.init_std);
  for (at::Tensor& t : targets_) if (t.defined()) t = t.to(options_.device);
}

void Eager::make_stream(int s) {
  const config::Model& m = options_.model;
  const std::string name = kStreamName[s];
  const std::int64_t d = m.dim, width = options_.vector_width[s];
  Stream& stream = stream_[s];
  stream.summary = m.gct || (m.stt && s == 1);
  stream.special = parameters_.normal(name + ".special", {2, d}, m.init_std);
  stream.position = parameters_.normal(name + ".position", {options_.levels + 2, d}, m.init_std);
  for (std::uint32_t i = 0; i < m.decoder_layers; ++i)
    stream.layers.emplace_back(parameters_, name + "." + std::to_string(i), shape_, Layer::Cross::kAttention);
  if (!m.gct) return;
  stream.project_w = parameters_.uniform(name + ".project.weight", {width, d}, linear_bound(d));
  stream.project_b = parameters_.uniform(name + ".project.bias", {width}, linear_bound(d));
}

void Eager::use_double_for_test() {
  parameters_.use_double_for_test();
  for (at::Tensor& t : targets_) if (t.defined()) t = t.to(at::kDouble);
}

at::Tensor Eager::encode(Pass& pass, const at::Tensor& rows, const BatchTensors& t) const {
  at::Tensor x = ops::embed(pass, {.rows = rows, .special = {}, .index = t.token, .position = position_->value,
                                   .position_index = t.position, .gamma = norm_w_, .beta = norm_b_});
  const AttentionRows groups{1, t.longest, t.begin, t.size};
  const AttentionShape self{t.begin.size(0), shape_.heads, groups, groups, {}};
  for (const Layer& layer : encoder_) x = layer.forward(pass, x, {}, self);
  return x;
}

at::Tensor Eager::decode(Pass& pass, int s, const BatchTensors& t, const at::Tensor& rows,
                         const std::vector<at::Tensor>& memory) const {
  const Stream& stream = stream_[s];
  const std::int64_t size = t.begin.size(0), slots = decoder_slots(options_.levels, stream.summary);
  at::Tensor x = ops::embed(pass, {.rows = rows,
                                   .special = stream.special->value,
                                   .index = t.stream[s].token,
                                   .position = stream.position->value,
                                   .position_index = t.slot_position.narrow(0, 0, slots * size)});
  const at::Tensor begin = at::arange(size, t.begin.options());
  AttentionShape self{size,
                      shape_.heads,
                      {size, slots, begin, {}},
                      {size, slots, begin, {}},
                      causal_slots(options_.levels, stream.summary)};
  AttentionShape cross{size, shape_.heads, {size, slots, begin, {}}, {1, t.longest, t.begin, t.size}, {}};
  for (std::size_t i = 0; i < stream.layers.size(); ++i) {
    Queries queries;
    if (stream.summary && i + 1 == stream.layers.size()) {     // nobody reads y_L's output
      queries.first = (slots - 1) * size;
      self.query.count = cross.query.count = slots - 1;
    }
    x = stream.layers[i].forward(pass, x, queries, self, memory[s * stream.layers.size() + i], &cross);
  }
  return x;
}

// L_con: smooth-L1 between the projected summary and the item's vector, mean over the width, sum over samples.
at::Tensor Eager::contrast(Pass& pass, int s, const at::Tensor& summary, const at::Tensor& target) const {
  const at::Tensor e = targets_[s].index_select(0, target);
  const at::Tensor projected = ops::linear(pass, summary, stream_[s].project_w, stream_[s].project_b);
  return at::smooth_l1_loss(projected.to(e.scalar_type()), e, at::Reduction::Sum) / e.size(1);
}

Losses Eager::forward(const Batch& batch, const RowTensors& rows, std::uint64_t dropout_seed) {
  return run(batch, rows, {.type = options_.type, .dropout = options_.model.dropout, .seed = dropout_seed});
}

Losses Eager::evaluate(const Batch& batch, const RowTensors& rows) { return run(batch, rows, {.type = options_.type}); }

Losses Eager::run(const Batch& batch, const RowTensors& rows, Pass pass) {
  const config::Model& m = options_.model;
  pass.kernels = options_.kernels && options_.device.is_cpu() && pass.type != at::kDouble;
  CHECK_GT(batch.size, 0u);
  CHECK_EQ(static_cast<std::int64_t>(batch.levels), options_.levels);
  parameters_.cast(pass.type);
  const BatchTensors t = make_tensors(batch, {stream_[0].summary, stream_[1].summary}, options_.device);
  const auto size = static_cast<std::int64_t>(batch.size);
  const double scale = 1.0 / static_cast<double>(batch.global_size);
  const at::Tensor history = encode(pass, rows.item, t);
  const std::vector<at::Tensor> memory = ops::linear(pass, history, memory_w_, memory_b_).split(2 * shape_.dim, 1);
  const at::Tensor zero = at::zeros({}, rows.item.options().requires_grad(false));
  std::vector<at::Tensor> parts;
  at::Tensor con = zero, summary;
  for (int s = 0; s < 2; ++s) {
    const at::Tensor h = decode(pass, s, t, rows.code[s], memory);
    for (std::int64_t l = 0; l < options_.levels; ++l)
      parts.push_back(ops::tree_softmax(pass, h.narrow(0, l * size, size), rows.code[s], t.stream[s].level[l],
                                        l == 0 ? m.label_smoothing : 0).sum() * scale);
    if (!stream_[s].summary) continue;
    summary = h.narrow(0, options_.levels * size, size);
    if (m.gct) con = con + contrast(pass, s, summary, t.target) * scale;
  }
  TransferLosses transfer{zero, zero};
  if (m.stt) transfer = transfer_.forward(pass, batch, t.transfer, rows.code[0], summary);
  at::Tensor total = at::stack(parts).sum();
  parts.insert(parts.end(), {con, transfer.recon * scale, transfer.recog * scale});
  const std::size_t n = parts.size();
  if (m.gct) total = total + parts[n - 3] * m.lambda1;
  if (m.stt) total = total + (parts[n - 2] + parts[n - 1]) * m.lambda2;
  return {total, at::stack(parts).detach().to(at::kFloat)};
}

}  // namespace dyad::worker
