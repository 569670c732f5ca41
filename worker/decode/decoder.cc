#include "worker/decode/decoder.h"
#include <algorithm>
#include "common/base/check.h"

namespace dyad::worker {
namespace {
at::Tensor ints(const std::vector<std::int32_t>& values, at::Device device) {
  return at::tensor(at::ArrayRef<std::int32_t>(values), at::kInt).to(device);
}
}  // namespace

Decoder::Decoder(Eager& model, const RowTables& rows, std::array<const data::Trie*, 2> tries)
    : model_(model), rows_(rows), tries_(tries) {
  at::NoGradGuard no_grad;
  model_.parameters_.cast(model_.options_.type);
  for (int s = 0; s < 2; ++s) {
    CHECK_EQ(static_cast<std::int64_t>(tries_[s]->levels()), model_.options_.levels);
    CHECK_EQ(rows_.code[s].size(0), static_cast<std::int64_t>(tries_[s]->nodes()));
  }
}

Pass Decoder::pass() const {
  return {.type = model_.options_.type, .kernels = model_.options_.kernels && model_.options_.device.is_cpu()};
}

UserMemory Decoder::encode(std::span<const std::vector<ItemId>> histories) const {
  at::NoGradGuard no_grad;
  const std::size_t most = model_.options_.model.history;
  std::vector<std::int32_t> token, position, begin, size;
  for (const auto& history : histories) {
    const std::size_t n = std::min(most, history.size());
    begin.push_back(static_cast<std::int32_t>(token.size()));
    size.push_back(static_cast<std::int32_t>(n));
    for (std::size_t t = 0; t < n; ++t) {
      token.push_back(static_cast<std::int32_t>(history[history.size() - n + t].value));
      position.push_back(static_cast<std::int32_t>(n - 1 - t));
    }
  }
  const at::Device device = model_.options_.device;
  BatchTensors t;
  t.token = ints(token, device), t.position = ints(position, device), t.begin = ints(begin, device),
  t.size = ints(size, device);
  t.longest = *std::max_element(size.begin(), size.end());
  Pass p = pass();
  const at::Tensor h = model_.encode(p, rows_.item, t);
  const at::Tensor kv = ops::linear(p, h, model_.memory_w_, model_.memory_b_);
  return {kv.split(2 * model_.shape_.dim, 1), {1, t.longest, t.begin, t.size}};
}

// Each token is a group of its own, whose keys are itself and the tokens before it on its path.
AttentionShape Decoder::self_shape(std::span<const Token> tokens, StreamCache& cache) const {
  const auto n = static_cast<std::int64_t>(tokens.size());
  std::int32_t row = static_cast<std::int32_t>(cache.parent.size()), deepest = 0;
  for (const Token& t : tokens) {
    cache.parent.push_back(t.parent);
    cache.depth.push_back(t.parent < 0 ? 0 : cache.depth[static_cast<std::size_t>(t.parent)] + 1);
    deepest = std::max(deepest, cache.depth.back());
  }
  const std::int64_t keys = deepest + 1;
  std::vector<std::int32_t> index(static_cast<std::size_t>(n * keys), 0), size;
  for (std::int64_t i = 0; i < n; ++i, ++row) {
    std::int64_t k = 0;
    for (std::int32_t at = row; at >= 0; at = cache.parent[static_cast<std::size_t>(at)])
      index[static_cast<std::size_t>(i * keys + k++)] = at;
    size.push_back(static_cast<std::int32_t>(k));
  }
  const at::Device device = model_.options_.device;
  const at::Tensor begin = at::arange(n, at::TensorOptions(at::kInt).device(device));
  return {n,
          model_.shape_.heads,
          {1, 1, begin, {}},
          {1, keys, begin, ints(size, device), ints(index, device).view({n, keys})},
          {}};
}

// The tokens of one user are a group; its keys are the user's history.
AttentionShape Decoder::cross_shape(std::span<const Token> tokens, const UserMemory& memory) const {
  const auto users = static_cast<std::size_t>(memory.tokens.begin.size(0));
  std::vector<std::int32_t> begin(users, 0), size(users, 0);
  for (std::size_t i = tokens.size(); i-- > 0;) {
    CHECK(i == 0 || tokens[i - 1].user <= tokens[i].user);
    begin[tokens[i].user] = static_cast<std::int32_t>(i);
    ++size[tokens[i].user];
  }
  const std::int64_t most = *std::max_element(size.begin(), size.end());
  const at::Device device = model_.options_.device;
  return {static_cast<std::int64_t>(users),
          model_.shape_.heads,
          {1, most, ints(begin, device), ints(size, device)},
          memory.tokens,
          {}};
}

at::Tensor Decoder::step(int s, std::span<const Token> tokens, const UserMemory& memory, StreamCache& cache) const {
  at::NoGradGuard no_grad;
  const Eager::Stream& stream = model_.stream_[s];
  const AttentionShape self = self_shape(tokens, cache), cross = cross_shape(tokens, memory);
  cache.layer.resize(stream.layers.size());
  std::vector<std::int32_t> node, place;
  const std::size_t first = cache.depth.size() - tokens.size();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    node.push_back(tokens[i].node.value == 0 ? -1 : static_cast<std::int32_t>(tokens[i].node.value));
    place.push_back(cache.depth[first + i]);
  }
  Pass p = pass();
  const at::Device device = model_.options_.device;
  at::Tensor x = ops::embed(p, {.rows = rows_.code[s], .special = stream.special->value, .index = ints(node, device),
                                .position = stream.position->value, .position_index = ints(place, device)});
  for (std::size_t i = 0; i < stream.layers.size(); ++i)
    x = stream.layers[i].step(p, x, cache.layer[i], self, memory.layer[s * stream.layers.size() + i], cross);
  return x;
}

at::Tensor Decoder::child_log_p(int s, std::span<const Token> tokens, const at::Tensor& hidden) const {
  std::vector<std::int32_t> begin, end;
  for (const Token& t : tokens) {
    begin.push_back(static_cast<std::int32_t>(tries_[s]->child_begin(t.node).value));
    end.push_back(static_cast<std::int32_t>(tries_[s]->child_end(t.node).value));
  }
  Pass p = pass();
  const at::Device device = model_.options_.device;
  return ops::child_log_softmax(p, hidden, rows_.code[s], {ints(begin, device), ints(end, device), {}});
}

}  // namespace dyad::worker
