#include "tools/baseline/sasrec.h"
#include <torch/torch.h>
#include <algorithm>
#include <cmath>
#include "common/base/clock.h"
#include "common/base/keep_memory.h"
#include "common/base/random.h"
#include "common/data/samples.h"

namespace dyad::baseline {
namespace F = torch::nn::functional;
namespace {

using Ids = std::vector<std::int64_t>;

// The weights by name, so that the best epoch can be kept.
class SasRec {
 public:
  SasRec(std::int64_t items, const SasRecOptions& o) : o_(o) {
    torch::manual_seed(o.seed);
    const std::int64_t d = o.dim;
    const auto normal = [&](std::vector<std::int64_t> shape) { return add(torch::randn(shape) * 0.02); };
    rows_ = normal({items, d});
    positions_ = normal({o.history, d});
    norm_ = {add(torch::ones({d})), add(torch::zeros({d}))};
    for (std::int64_t l = 0; l < o.layers; ++l) {
      Layer layer;
      layer.norm1 = {add(torch::ones({d})), add(torch::zeros({d}))};
      layer.norm2 = {add(torch::ones({d})), add(torch::zeros({d}))};
      layer.qkv = {normal({3 * d, d}), add(torch::zeros({3 * d}))};
      layer.out = {normal({d, d}), add(torch::zeros({d}))};
      layer.up = {normal({4 * d, d}), add(torch::zeros({4 * d}))};
      layer.down = {normal({d, 4 * d}), add(torch::zeros({d}))};
      layers_.push_back(layer);
    }
  }
  std::vector<torch::Tensor>& weights() { return weights_; }
  const torch::Tensor& rows() const { return rows_; }

  // ids [B, T], sequences from the left; what follows a sequence's end is never attended to by its positions.
  // -> [B, T, d].
  torch::Tensor forward(const torch::Tensor& ids, bool training) const {
    const auto drop = [&](const torch::Tensor& x) { return torch::dropout(x, o_.dropout, training && o_.dropout > 0); };
    auto x =
        drop(F::embedding(ids, rows_) * std::sqrt(static_cast<double>(o_.dim)) + positions_.slice(0, 0, ids.size(1)));
    for (const Layer& l : layers_) {
      const auto qkv =
          linear(normed(x, l.norm1), l.qkv).view({x.size(0), x.size(1), 3, o_.heads, -1}).permute({2, 0, 3, 1, 4});
      const auto seen = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], {}, 0.0, /*is_causal=*/true);
      x = x + drop(linear(seen.transpose(1, 2).reshape_as(x), l.out));
      x = x + drop(linear(drop(F::gelu(linear(normed(x, l.norm2), l.up))), l.down));
    }
    return normed(x, norm_);
  }

 private:
  struct Pair { torch::Tensor weight, bias; };
  struct Layer { Pair norm1, norm2, qkv, out, up, down; };
  torch::Tensor add(torch::Tensor x) {
    weights_.push_back(x.requires_grad_(true));
    return weights_.back();
  }
  torch::Tensor normed(const torch::Tensor& x, const Pair& p) const {
    return F::layer_norm(x, F::LayerNormFuncOptions({o_.dim}).weight(p.weight).bias(p.bias));
  }
  static torch::Tensor linear(const torch::Tensor& x, const Pair& p) { return F::linear(x, p.weight, p.bias); }

  SasRecOptions o_;
  std::vector<torch::Tensor> weights_;
  torch::Tensor rows_, positions_;
  Pair norm_;
  std::vector<Layer> layers_;
};

// Pieces of the training parts, each of 2 to history + 1 items: a piece's inputs are all but its last item.
std::vector<Ids> training_pieces(const data::Dataset& dataset, std::size_t history) {
  std::vector<Ids> out;
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    const auto sequence = dataset.sequence(UserId{u});
    std::size_t end = sequence.size() >= 3 ? sequence.size() - 2 : sequence.size();
    while (end >= 2) {                                    // from the newest back; pieces overlap by one item
      const std::size_t begin = end - std::min(end, history + 1);
      auto& piece = out.emplace_back();
      for (std::size_t i = begin; i < end; ++i) piece.push_back(sequence[i].value);
      if (begin == 0) break;
      end = begin + 1;
    }
  }
  return out;
}

std::pair<torch::Tensor, torch::Tensor> pad(const std::vector<const Ids*>& rows) {   // ids and lengths
  std::size_t longest = 0;
  for (const Ids* r : rows) longest = std::max(longest, r->size());
  const auto n = static_cast<std::int64_t>(rows.size()), T = static_cast<std::int64_t>(longest);
  auto ids = torch::zeros({n, T}, torch::kInt64), lengths = torch::zeros({n}, torch::kInt64);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy(rows[i]->begin(), rows[i]->end(), ids.data_ptr<std::int64_t>() + i * longest);
    lengths.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(rows[i]->size());
  }
  return {ids, lengths};
}

Ranking evaluate(const SasRec& net, const data::Dataset& dataset, data::Split split, const SasRecOptions& o) {
  const torch::InferenceMode no_gradients;
  const auto samples = data::samples(dataset, split);
  constexpr std::size_t kUsers = 256;
  Ranking out;
  for (std::size_t first = 0; first < samples.size(); first += kUsers) {
    std::vector<Ids> histories;
    const std::size_t n = std::min(kUsers, samples.size() - first);
    for (std::size_t i = 0; i < n; ++i) {
      auto& ids = histories.emplace_back();
      for (const ItemId item : data::history(dataset, samples[first + i], static_cast<std::size_t>(o.history)))
        ids.push_back(item.value);
    }
    std::vector<const Ids*> rows;
    for (const auto& h : histories) rows.push_back(&h);
    const auto [ids, lengths] = pad(rows);
    const auto hidden = net.forward(ids, false);
    const auto last = hidden.index({torch::arange(static_cast<std::int64_t>(n)), lengths - 1});
    const auto scores = last.mm(net.rows().t()).contiguous();
    for (std::size_t i = 0; i < n; ++i) {
      const std::span<const float> mine(scores.data_ptr<float>() + i * dataset.items(), dataset.items());
      out.add(rank_of(mine, dataset.sequence(samples[first + i].user)[samples[first + i].target].value));
    }
  }
  return out;
}

// One pass over the pieces in random order: the mean loss of a position.
double train_epoch(SasRec& net, torch::optim::Adam& adam, const std::vector<Ids>& pieces, int epoch,
                   const SasRecOptions& o, const std::function<void(std::size_t, std::size_t)>& on_batch) {
  std::vector<std::pair<double, std::uint32_t>> order;    // like lengths share a batch
  KeyedRandom random(o.seed, 0x736173, static_cast<std::uint64_t>(epoch));  // "sas"
  for (std::uint32_t i = 0; i < pieces.size(); ++i)
    order.emplace_back(static_cast<double>(pieces[i].size()) + 4 * random.uniform(), i);
  std::sort(order.begin(), order.end());
  const auto batch = static_cast<std::size_t>(o.batch);
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < order.size(); i += batch) starts.push_back(i);
  shuffle(starts, random);
  double sum = 0, positions = 0;
  for (std::size_t b = 0; b < starts.size(); ++b) {
    std::vector<const Ids*> rows;
    for (std::size_t i = starts[b]; i < std::min(order.size(), starts[b] + batch); ++i)
      rows.push_back(&pieces[order[i].second]);
    const auto [ids, lengths] = pad(rows);
    const std::int64_t T = ids.size(1) - 1;
    const auto real = (torch::arange(T).unsqueeze(0) < (lengths - 1).unsqueeze(1)).flatten().nonzero().squeeze(1);
    const auto hidden = net.forward(ids.slice(1, 0, T), true).view({-1, o.dim}).index_select(0, real);
    const auto target = ids.slice(1, 1).flatten().index_select(0, real);
    const auto loss = F::cross_entropy(hidden.mm(net.rows().t()), target);
    adam.zero_grad();
    loss.backward();
    adam.step();
    sum += loss.item<double>() * static_cast<double>(real.size(0));
    positions += static_cast<double>(real.size(0));
    if (on_batch) on_batch(b + 1, starts.size());
  }
  return sum / positions;
}

Status check_options(const SasRecOptions& o, std::size_t pieces) {
  if (pieces == 0)
    return fail(Code::kInvalid, "sasrec: no user has two items in the training part; there is nothing to learn from");
  if (o.dim < 1 || o.heads < 1 || o.dim % o.heads != 0 || o.layers < 1 || o.history < 1 || o.batch < 1 ||
      o.epochs < 1 || o.patience < 1)
    return fail(Code::kInvalid, "sasrec: sizes, epochs and patience must be positive, and heads divide dim {}", o.dim);
  if (!(o.dropout >= 0 && o.dropout < 1) || !(o.lr > 0))
    return fail(Code::kInvalid, "sasrec: dropout must lie in [0, 1), lr above 0");
  return ok();
}

Result<SasRecResult> run(const data::Dataset& dataset, const SasRecOptions& o,
                         const std::function<void(const SasRecEpoch&)>& on_epoch,
                         const std::function<void(std::size_t, std::size_t)>& on_batch) {
  const auto pieces = training_pieces(dataset, static_cast<std::size_t>(o.history));
  DYAD_TRYV(check_options(o, pieces.size()));
  SasRec net(static_cast<std::int64_t>(dataset.items()), o);
  torch::optim::Adam adam(net.weights(), torch::optim::AdamOptions(o.lr).betas({0.9, 0.98}));
  SasRecResult out;
  std::vector<torch::Tensor> best;
  const double start = steady_now_s();
  for (int epoch = 1; epoch <= o.epochs && epoch - out.best_epoch <= o.patience; ++epoch) {
    if (o.seconds_max > 0 && steady_now_s() - start > o.seconds_max && epoch > 1) break;
    const double begin = steady_now_s();
    SasRecEpoch e{.epoch = epoch, .loss = train_epoch(net, adam, pieces, epoch, o, on_batch)};
    if (!std::isfinite(e.loss))
      return fail(Code::kFailed, "sasrec: the loss is not finite in epoch {}; lower lr {}", epoch, o.lr);
    e.validation = evaluate(net, dataset, data::Split::kValidation, o);
    e.seconds = steady_now_s() - begin;
    if (best.empty() || e.validation.ndcg(10) > out.validation.ndcg(10)) {
      out.best_epoch = epoch;
      out.validation = e.validation;
      best.clear();
      for (const auto& w : net.weights()) best.push_back(w.detach().clone());
    }
    if (on_epoch) on_epoch(e);
  }
  const torch::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < best.size(); ++i) net.weights()[i].copy_(best[i]);
  out.test = evaluate(net, dataset, data::Split::kTest, o);
  return out;
}

}  // namespace

Result<SasRecResult> run_sasrec(const data::Dataset& dataset, const SasRecOptions& options,
                                const std::function<void(const SasRecEpoch&)>& on_epoch,
                                const std::function<void(std::size_t, std::size_t)>& on_batch) {
  keep_freed_memory();
  torch::set_num_threads(static_cast<int>(std::max(1u, options.threads)));
  try {
    return run(dataset, options, on_epoch, on_batch);
  } catch (const std::exception& e) {
    return fail(Code::kFailed, "sasrec: {}", e.what());
  }
}

}  // namespace dyad::baseline
