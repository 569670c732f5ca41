#include "tools/prepare/encode/sentence_encoder.h"
#include <torch/torch.h>
#include <algorithm>
#include <numeric>
#include "tools/prepare/encode/bert_weights.h"
#include "tools/prepare/encode/tokenizer_files.h"
#include "tools/prepare/encode/unicode.h"

namespace dyad::encode {
namespace F = torch::nn::functional;
namespace {

torch::Tensor activate(const torch::Tensor& x, Activation how) {
  switch (how) {
    case Activation::kIdentity: return x;
    case Activation::kGelu: return at::gelu(x);
    case Activation::kGeluTanh: return at::gelu(x, "tanh");
    case Activation::kRelu: return at::relu(x);
    case Activation::kSilu: return at::silu(x);
    case Activation::kSigmoid: return at::sigmoid(x);
    case Activation::kTanh: return at::tanh(x);
  }
  return x;
}

torch::Tensor unit_rows(const torch::Tensor& x) { return F::normalize(x, F::NormalizeFuncOptions().p(2).dim(-1)); }

// x [B, T, hidden], mask [B, T, 1] -> [B, hidden]
torch::Tensor pool(const torch::Tensor& x, const torch::Tensor& mask, Pooling how) {
  const auto count = mask.sum(1);
  switch (how) {
    case Pooling::kCls: return x.select(1, 0);
    case Pooling::kMax: return std::get<0>(x.masked_fill(mask == 0, -1e9).max(1));
    case Pooling::kMean: return (x * mask).sum(1) / count;
    case Pooling::kMeanSqrt: return (x * mask).sum(1) / count.sqrt();
  }
  return x.select(1, 0);
}

std::string lower_cased(const std::string& text) {
  std::u32string out;
  for (const char32_t c : decode_utf8(text)) append_folded(out, c, {.lower = true, .strip = false});
  std::string bytes;
  for (const char32_t c : out) append_utf8(bytes, c);
  return bytes;
}

}  // namespace

struct SentenceEncoder::State {
  Weights weights;
  BertShape shape;
  WordPiece words;
  SentenceFiles files;
  std::vector<Weights> dense;                          // beside files.layers; empty where they only normalise

  std::size_t width() const {
    std::int64_t out = shape.hidden * static_cast<std::int64_t>(files.pooling.size());
    for (const Layer& layer : files.layers) out = layer.normalize ? out : layer.out;
    return static_cast<std::size_t>(out);
  }
  const torch::Tensor& w(const std::string& name) const { return weights.at(name); }
  torch::Tensor linear(const torch::Tensor& x, const std::string& name) const {
    return F::linear(x, w(name + ".weight"), w(name + ".bias"));
  }
  torch::Tensor norm(const torch::Tensor& x, const std::string& name) const {
    return F::layer_norm(x, F::LayerNormFuncOptions({shape.hidden})
                                .weight(w(name + ".weight"))
                                .bias(w(name + ".bias"))
                                .eps(shape.norm_eps));
  }
  // x [B, T, hidden]; mask [B, 1, 1, T], true where a token is.
  torch::Tensor layer(const torch::Tensor& x, const torch::Tensor& mask, std::int64_t l) const {
    const auto at = fmt::format("encoder.layer.{}.", l);
    const auto heads = [&](const char* part) {
      return linear(x, at + "attention.self." + part).view({x.size(0), x.size(1), shape.heads, -1}).transpose(1, 2);
    };
    const auto seen = at::scaled_dot_product_attention(heads("query"), heads("key"), heads("value"), mask);
    const auto y = norm(x + linear(seen.transpose(1, 2).reshape_as(x), at + "attention.output.dense"),
                        at + "attention.output.LayerNorm");
    return norm(y + linear(activate(linear(y, at + "intermediate.dense"), shape.activation), at + "output.dense"),
                at + "output.LayerNorm");
  }
  // ids [B, T], mask [B, T] bool -> unit rows [B, width].
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& mask) const {
    auto x = F::embedding(ids, w("embeddings.word_embeddings.weight")) +
             w("embeddings.position_embeddings.weight").slice(0, 0, ids.size(1)) +
             w("embeddings.token_type_embeddings.weight")[0];
    x = norm(x, "embeddings.LayerNorm");
    const auto attend = mask.unsqueeze(1).unsqueeze(1);
    for (std::int64_t l = 0; l < shape.layers; ++l) x = layer(x, attend, l);
    std::vector<torch::Tensor> pooled;
    for (const Pooling how : files.pooling) pooled.push_back(pool(x, mask.to(torch::kFloat).unsqueeze(-1), how));
    auto row = torch::cat(pooled, -1);
    for (std::size_t l = 0; l < files.layers.size(); ++l) {
      const Layer& layer = files.layers[l];
      const auto bias = layer.bias && !layer.normalize ? dense[l].at("linear.bias") : torch::Tensor();
      row = layer.normalize ? unit_rows(row)
                            : activate(F::linear(row, dense[l].at("linear.weight"), bias), layer.activation);
    }
    return unit_rows(row);
  }
};

SentenceEncoder::SentenceEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
SentenceEncoder::SentenceEncoder(SentenceEncoder&&) noexcept = default;
SentenceEncoder::~SentenceEncoder() = default;
const BertShape& SentenceEncoder::shape() const { return state_->shape; }

Result<SentenceEncoder> SentenceEncoder::open(const std::filesystem::path& dir) {
  DYAD_TRY(files, read_sentence_files(dir));
  DYAD_TRY(tokenizer, open_tokenizer(files.transformer));
  DYAD_TRY(bert, load_bert(files.transformer));
  DYAD_TRY(shape, read_bert_config(files.transformer / "config.json", bert.sizes));
  if (tokenizer.words.largest() >= bert.sizes.words)
    return fail(Code::kInvalid, "{}: a piece of number {} for {} word embeddings; vocabulary and model do not belong "
                "together", tokenizer.vocabulary.string(), tokenizer.words.largest(), bert.sizes.words);
  // As the published library: the sentence encoder's own limit, else the tokenizer's, never more than the positions.
  const std::size_t most = files.tokens_max.value_or(tokenizer.length_max.value_or(shape.tokens_max));
  shape.tokens_max = std::min(most, static_cast<std::size_t>(shape.positions));
  std::vector<Weights> dense;
  std::int64_t width = shape.hidden * static_cast<std::int64_t>(files.pooling.size());
  for (const Layer& layer : files.layers) {
    dense.emplace_back();
    if (layer.normalize) continue;
    if (layer.in != width)
      return fail(Code::kInvalid, "{}: a dense layer for rows of {} after rows of {}", layer.weights.string(), layer.in,
                  width);
    DYAD_TRY(weights, load_dense(layer));
    dense.back() = std::move(weights);
    width = layer.out;
  }
  return SentenceEncoder(std::make_unique<State>(State{std::move(bert.weights), shape, std::move(tokenizer.words),
                                                       std::move(files), std::move(dense)}));
}

Result<io::Matrix> SentenceEncoder::encode(const std::vector<std::string>& texts, const EncodeOptions& options) const {
  torch::set_num_threads(static_cast<int>(std::max(1u, options.threads)));
  const torch::InferenceMode no_gradients;
  std::vector<std::vector<std::int32_t>> ids;
  for (const auto& text : texts) {
    const std::string whole = state_->files.prompt + text;
    ids.push_back(
        state_->words.encode(state_->files.lower_case ? lower_cased(whole) : whole, state_->shape.tokens_max));
  }
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return ids[a].size() > ids[b].size(); });
  io::Matrix out{texts.size(), state_->width(), {}};
  out.values.resize(out.rows * out.cols);
  try {
    for (std::size_t first = 0; first < order.size(); first += options.batch) {
      const std::size_t n = std::min(options.batch, order.size() - first), length = ids[order[first]].size();
      const auto size = {static_cast<std::int64_t>(n), static_cast<std::int64_t>(length)};
      auto tokens = torch::full(size, state_->words.pad(), torch::kInt64), mask = torch::zeros(size, torch::kBool);
      for (std::size_t i = 0; i < n; ++i) {
        const auto& text = ids[order[first + i]];
        std::copy(text.begin(), text.end(), tokens.data_ptr<std::int64_t>() + i * length);
        std::fill_n(mask.data_ptr<bool>() + i * length, text.size(), true);
      }
      const auto rows = state_->forward(tokens, mask).contiguous();
      for (std::size_t i = 0; i < n; ++i)
        std::copy_n(rows.data_ptr<float>() + i * out.cols, out.cols, out.values.data() + order[first + i] * out.cols);
      if (options.progress) options.progress(first + n);
    }
  } catch (const std::exception& e) {
    return fail(Code::kFailed, "sentence encoder: {}", e.what());
  }
  return out;
}

}  // namespace dyad::encode
