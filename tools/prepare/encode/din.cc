#include "tools/prepare/encode/din.h"
#include <torch/torch.h>
#include <algorithm>
#include <cmath>
#include <numeric>
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/keep_memory.h"
#include "common/base/random.h"
#include "tools/prepare/encode/cooccurrence.h"
#include "tools/prepare/encode/din_attention.h"

namespace dyad::encode {
namespace F = torch::nn::functional;
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEps = 1e-8;

struct TrainingSample { std::uint32_t user, target; };            // target: index into the user's training part, >= 1

torch::Tensor normals(std::vector<std::int64_t> shape, double stddev, std::uint64_t seed, std::uint64_t stream) {
  auto out = torch::empty(shape);
  KeyedRandom random(seed, 0x64696e, stream);  // "din"
  for (std::int64_t i = 0; i < out.numel(); ++i)
    out.data_ptr<float>()[i] = static_cast<float>(stddev * random.normal());
  return out;
}

// A table of which Adam updates only the rows that a batch used; each row counts its own steps.
class RowAdam {
 public:
  RowAdam(torch::Tensor table, double lr)
      : table_(std::move(table)),
        first_(torch::zeros_like(table_)),
        second_(torch::zeros_like(table_)),
        steps_(torch::zeros({table_.size(0), 1})),
        lr_(lr) {}
  const torch::Tensor& table() const { return table_; }
  torch::Tensor pull(const torch::Tensor& ids) const { return table_.index_select(0, ids).requires_grad_(true); }
  void apply(const torch::Tensor& ids, const torch::Tensor& gradient, double schedule) {
    const torch::NoGradGuard no_gradients;
    const auto steps = steps_.index_select(0, ids) + 1;
    const auto first = first_.index_select(0, ids) * kBeta1 + gradient * (1 - kBeta1);
    const auto second = second_.index_select(0, ids) * kBeta2 + gradient.square() * (1 - kBeta2);
    const auto step =
        first / (1 - torch::pow(kBeta1, steps)) / ((second / (1 - torch::pow(kBeta2, steps))).sqrt() + kEps);
    table_.index_add_(0, ids, step, -lr_ * schedule);
    first_.index_copy_(0, ids, first);
    second_.index_copy_(0, ids, second);
    steps_.index_copy_(0, ids, steps);
  }

 private:
  torch::Tensor table_, first_, second_, steps_;
  double lr_;
};

// Negatives of a batch: half of Q by popularity, half uniform. Keyed by the step.
class Negatives {
 public:
  explicit Negatives(const Histories& histories) : items_(histories.items) {
    std::vector<double> count(items_);
    for (const auto& items : histories.train)
      for (std::size_t i = 1; i < items.size(); ++i) { seen_.push_back(items[i]); ++count[items[i]]; }
    log_q_ = torch::empty({static_cast<std::int64_t>(items_)});
    for (std::size_t i = 0; i < items_; ++i)
      log_q_.data_ptr<float>()[i] = static_cast<float>(
          std::log(0.5 * count[i] / static_cast<double>(seen_.size()) + 0.5 / static_cast<double>(items_)));
  }
  std::vector<std::int64_t> draw(std::size_t n, std::uint64_t seed, std::uint64_t step) const {
    KeyedRandom random(seed, 0x6e6567, step);  // "neg"
    std::vector<std::int64_t> out(n);
    for (auto& item : out)
      item =
          random.uniform() < 0.5 ? seen_[random.below(seen_.size())] : static_cast<std::int64_t>(random.below(items_));
    return out;
  }
  const torch::Tensor& log_q() const { return log_q_; }

 private:
  std::size_t items_;
  std::vector<std::uint32_t> seen_;   // every target of the log, so that a draw follows popularity
  torch::Tensor log_q_;
};

struct Batch {
  torch::Tensor unique;                                            // [U] items
  torch::Tensor seen;                                              // [H] those of the histories, places in `unique`
  torch::Tensor history, mask;                                     // [B, T] places in `seen`, the newest first
  torch::Tensor target, negative;                                  // [B], [N] places in `unique`
};

class Din {
 public:
  Din(const Histories& histories, const DinOptions& o)
      : o_(o),
        rows_(initial_rows(histories, o), o.row_lr),
        bias_(torch::zeros({static_cast<std::int64_t>(histories.items), 1}), o.row_lr) {
    const auto d = static_cast<std::int64_t>(o.dim), m = static_cast<std::int64_t>(o.hidden);
    weights_ = {normals({m, 4 * d}, 1 / std::sqrt(4.0 * o.dim), o.seed, 1),
                torch::zeros({m}),
                torch::full({1}, 0.25),
                normals({m}, 0.1 / std::sqrt(o.hidden), o.seed, 2),
                torch::zeros({static_cast<std::int64_t>(o.history)}),
                torch::full({1}, std::log(o.scale))};
    for (std::size_t a = 0; a < o.history; ++a)
      weights_[4].data_ptr<float>()[a] = 1.0f / static_cast<float>(1 + a);   // newest first
    for (auto& w : weights_) w.requires_grad_(true);
    adam_ = std::make_unique<torch::optim::Adam>(weights_, torch::optim::AdamOptions(o.lr));
  }

  double step(const Batch& b, const torch::Tensor& log_q, double schedule, std::uint64_t number) {
    torch::manual_seed(mix64(o_.seed, 0x64726f70, number));   // "drop"
    const auto rows = rows_.pull(b.unique), bias = bias_.pull(b.unique);
    const auto loss = loss_of(b, rows, bias, log_q.index_select(0, b.unique));
    adam_->zero_grad();
    loss.backward();
    static_cast<torch::optim::AdamOptions&>(adam_->param_groups()[0].options()).lr(o_.lr * schedule);
    adam_->step();
    rows_.apply(b.unique, rows.grad(), schedule);
    bias_.apply(b.unique, bias.grad(), schedule);
    return loss.item<double>();
  }

  io::Matrix vectors() const {
    const auto unit = F::normalize(rows_.table(), F::NormalizeFuncOptions().dim(-1)).contiguous();
    return {static_cast<std::size_t>(unit.size(0)),
            o_.dim,
            {unit.data_ptr<float>(), unit.data_ptr<float>() + unit.numel()}};
  }

 private:
  static torch::Tensor initial_rows(const Histories& histories, const DinOptions& o) {
    const auto items = static_cast<std::int64_t>(histories.items), d = static_cast<std::int64_t>(o.dim);
    auto out = normals({items, d}, 1 / std::sqrt(static_cast<double>(o.dim)), o.seed, 0);
    if (!o.cooccurrence_init) return out;
    const std::size_t width = std::min(o.dim, histories.items);
    auto start = cooccurrence_vectors(histories, {.width = width, .seed = o.seed});
    const auto known = torch::tensor(start.values).view({items, static_cast<std::int64_t>(width)});
    out.mul_(0.05);                                                // a little noise; all there is of items never seen
    out.slice(1, 0, static_cast<std::int64_t>(width))
        .add_(F::normalize(known - known.mean(0), F::NormalizeFuncOptions().dim(-1)));
    return out;
  }

  // The MLP is linear before its PReLU:
  //   W [h, t, h*t, h-t] + b = h . key(t) + offset(t),  key(t) = W1 + W4 + W3 * t,  offset(t) = (W2 - W4) t + b
  // so that [h, t, h * t, h - t] is never laid out, and t itself as one more key gives h . t. With the negatives, which
  // the batch shares, it is computed once for each different item of the histories (MovieLens-100k: a fifth of their
  // places).
  torch::Tensor loss_of(const Batch& b, const torch::Tensor& raw, const torch::Tensor& bias,
                        const torch::Tensor& log_q) const {
    const auto unit = F::normalize(raw, F::NormalizeFuncOptions().dim(-1));
    const auto part = weights_[0].chunk(4, 1);
    const auto rows = torch::dropout(unit, o_.dropout, o_.dropout > 0).index_select(0, b.seen);       // [H, d]
    const auto h = F::embedding(b.history, rows), t = F::embedding(b.target, unit), n = F::embedding(b.negative, unit);
    const std::int64_t T = h.size(1), m = part[0].size(0);
    const auto offset = [&](const torch::Tensor& x) { return x.matmul((part[1] - part[3]).t()) + weights_[1]; };
    const auto own = part[0] + part[3];                                                    // [m, d]
    const auto keys_t = torch::cat({own + part[2] * t.unsqueeze(1), t.unsqueeze(1)}, 1);   // [B, m + 1, d]
    const auto keys_n = torch::cat({own.unsqueeze(1) + part[2].unsqueeze(1) * n, n.unsqueeze(0)});    // [m + 1, N, d]
    const auto z = h.bmm(keys_t.transpose(1, 2));                                          // [B, T, m + 1]
    const auto age = weights_[4].slice(0, 0, T);                                           // [T]
    const auto a_t =
        torch::prelu(z.slice(2, 0, m) + offset(t).unsqueeze(1), weights_[2]).matmul(weights_[3]) + age;   // [B, T]
    const auto pairs = pair_attention(rows, keys_n, offset(n).t(), weights_[2], weights_[3], o_.threads);
    const auto keep = b.mask.to(torch::kFloat);
    const auto s_t = (a_t * z.select(2, m) * keep).sum(1);                                 // [B]
    const auto s_n = sum_over_history(b.history, pairs.weight * pairs.product, keep) +
                     sum_over_history(b.history, pairs.product, keep * age);               // [B, N]
    const auto scale = weights_[5].exp();
    const auto correct = [&](const torch::Tensor& ids) { return (bias.squeeze(1) - log_q).index_select(0, ids); };
    const auto target = s_t * scale + correct(b.target);
    const auto negative = (s_n * scale + correct(b.negative))
                              .masked_fill(b.target.unsqueeze(1) == b.negative.unsqueeze(0), -1e9);
    return (torch::logsumexp(torch::cat({target.unsqueeze(1), negative}, 1), 1) - target).mean();
  }
  // sum over t of weight[b, t] * x[history[b, t]]
  static torch::Tensor sum_over_history(const torch::Tensor& history, const torch::Tensor& x,
                                        const torch::Tensor& weight) {
    return F::embedding_bag(history, x,
                            F::EmbeddingBagFuncOptions().mode(torch::kSum).per_sample_weights(weight));
  }

  DinOptions o_;
  RowAdam rows_, bias_;
  std::vector<torch::Tensor> weights_;       // W [m, 4d], b [m], PReLU slope [1], out [m], age [T], log scale [1]
  std::unique_ptr<torch::optim::Adam> adam_;
};

std::vector<TrainingSample> samples_of(const Histories& histories) {
  std::vector<TrainingSample> out;
  for (std::uint32_t u = 0; u < histories.train.size(); ++u)
    for (std::uint32_t i = 1; i < histories.train[u].size(); ++i) out.push_back({u, i});
  return out;
}

// Batches of like history length, in random order: [first, last) places in the returned order.
std::vector<std::vector<std::uint32_t>> batches_of(const std::vector<TrainingSample>& samples, const DinOptions& o,
                                                   int epoch) {
  std::vector<std::pair<double, std::uint32_t>> keyed;
  KeyedRandom random(o.seed, 0x626174, static_cast<std::uint64_t>(epoch));  // "bat"
  for (std::uint32_t i = 0; i < samples.size(); ++i)
    keyed.emplace_back(static_cast<double>(std::min<std::size_t>(samples[i].target, o.history)) + 2 * random.uniform(),
                       i);
  std::sort(keyed.begin(), keyed.end());
  std::vector<std::vector<std::uint32_t>> out;
  for (std::size_t i = 0; i < keyed.size(); ++i) {
    if (i % o.batch == 0) out.emplace_back();
    out.back().push_back(keyed[i].second);
  }
  shuffle(out, random);
  return out;
}

Batch batch_of(const Histories& histories, const std::vector<TrainingSample>& samples,
               const std::vector<std::uint32_t>& chosen, const std::vector<std::int64_t>& negatives,
               std::size_t history_max) {
  std::size_t longest = 0;
  for (const auto i : chosen)
    longest = std::max<std::size_t>(longest, std::min<std::size_t>(samples[i].target, history_max));
  const auto B = static_cast<std::int64_t>(chosen.size()), T = static_cast<std::int64_t>(longest);
  auto history = torch::zeros({B, T}, torch::kInt64), mask = torch::zeros({B, T}, torch::kBool);
  auto target = torch::zeros({B}, torch::kInt64);
  for (std::int64_t b = 0; b < B; ++b) {
    const auto& [user, at] = samples[chosen[static_cast<std::size_t>(b)]];
    const auto& items = histories.train[user];
    target.data_ptr<std::int64_t>()[b] = items[at];
    for (std::int64_t a = 0; a < std::min<std::int64_t>(at, T); ++a) {          // place a: the a-th newest
      history.data_ptr<std::int64_t>()[b * T + a] = items[at - 1 - static_cast<std::size_t>(a)];
      mask.data_ptr<bool>()[b * T + a] = true;
    }
  }
  const auto all = torch::cat({history.flatten(), target, torch::tensor(negatives)});
  const auto [unique, place, _] = torch::_unique2(all, /*sorted=*/true, /*return_inverse=*/true);
  const auto [seen, seen_place, __] =
      torch::_unique2(place.slice(0, 0, B * T), /*sorted=*/true, /*return_inverse=*/true);
  return {unique, seen, seen_place.view({B, T}), mask, place.slice(0, B * T, B * T + B), place.slice(0, B * T + B)};
}

Status check_options(const Histories& histories, const DinOptions& o, std::size_t samples) {
  if (samples == 0 || histories.items < 2)
    return fail(Code::kInvalid, "din: no user has two items in the training part; there is nothing to learn from");
  const auto check = [](bool is_good, const char* name, auto value, const char* wanted) -> Status {
    return is_good ? ok() : Status(fail(Code::kInvalid, "din: {} is {}; give {}", name, value, wanted));
  };
  DYAD_TRYV(check(o.dim >= 2, "dim", o.dim, "at least 2"));
  DYAD_TRYV(check(o.hidden >= 1, "hidden", o.hidden, "at least 1"));
  DYAD_TRYV(check(o.history >= 1, "history", o.history, "at least 1"));
  DYAD_TRYV(check(o.batch >= 1, "batch", o.batch, "at least 1"));
  DYAD_TRYV(check(o.negatives >= 1, "negatives", o.negatives, "at least 1"));
  DYAD_TRYV(check(o.epochs >= 0, "epochs", o.epochs, "0 or more"));
  DYAD_TRYV(check(o.lr >= 0 && std::isfinite(o.lr), "lr", o.lr, "0 or more"));
  DYAD_TRYV(check(o.row_lr >= 0 && std::isfinite(o.row_lr), "row-lr", o.row_lr, "0 or more"));
  DYAD_TRYV(check(o.scale > 0 && std::isfinite(o.scale), "scale", o.scale, "more than 0"));
  DYAD_TRYV(check(o.dropout >= 0 && o.dropout < 1, "dropout", o.dropout, "0 or more, less than 1"));
  return ok();
}

Result<DinVectors> train(const Histories& histories, const DinOptions& o,
                         const std::function<void(const DinEpoch&)>& on_epoch,
                         const std::function<void(std::size_t, std::size_t)>& on_batch) {
  const auto samples = samples_of(histories);
  DYAD_TRYV(check_options(histories, o, samples.size()));
  Din din(histories, o);
  const Negatives negatives(histories);
  DinVectors best{din.vectors(), {}};
  best.kept.recall = neighbour_recall(best.rows, histories.next, 50, o.threads);
  on_epoch(best.kept);
  const std::size_t steps = (samples.size() + o.batch - 1) / o.batch, all = steps * static_cast<std::size_t>(o.epochs);
  std::size_t step = 0;
  for (int epoch = 1; epoch <= o.epochs; ++epoch) {
    const double start = steady_now_s();
    double sum = 0;
    for (const auto& chosen : batches_of(samples, o, epoch)) {
      const double done = static_cast<double>(step) / static_cast<double>(all);
      const double schedule =
          std::min(1.0, static_cast<double>(step + 1) / 100) * (0.5 + 0.5 * std::cos(3.14159265358979 * done));
      const auto batch = batch_of(histories, samples, chosen, negatives.draw(o.negatives, o.seed, step), o.history);
      const double loss = din.step(batch, negatives.log_q(), schedule, step);
      if (!std::isfinite(loss))
        return fail(Code::kFailed, "din: the loss is not finite at step {}; lower the learning rates", step + 1);
      sum += loss * static_cast<double>(chosen.size());
      if (on_batch) on_batch(++step, all); else ++step;
    }
    const double seconds = steady_now_s() - start;
    auto rows = din.vectors();
    const DinEpoch now{epoch, sum / static_cast<double>(samples.size()),
                       neighbour_recall(rows, histories.next, 50, o.threads), seconds};
    on_epoch(now);
    if (now.recall >= best.kept.recall) best = {std::move(rows), now};
  }
  return best;
}

}  // namespace

Result<DinVectors> train_din(const Histories& histories, const DinOptions& options,
                             const std::function<void(const DinEpoch&)>& on_epoch,
                             const std::function<void(std::size_t, std::size_t)>& on_batch) {
  keep_freed_memory();
  const int threads = torch::get_num_threads();
  torch::set_num_threads(1);                     // DinOptions::threads are din_attention.h's
  try {
    auto out = train(histories, options, on_epoch, on_batch);
    torch::set_num_threads(threads);
    return out;
  } catch (const std::exception& e) {
    torch::set_num_threads(threads);
    return fail(Code::kFailed, "din: {}", e.what());
  }
}

}  // namespace dyad::encode
