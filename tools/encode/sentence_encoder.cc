#include "tools/encode/sentence_encoder.h"
#include <torch/torch.h>
#include <algorithm>
#include <map>
#include <numeric>
#include <nlohmann/json.hpp>
#include "common/io/files.h"
#include "common/io/safetensors.h"
#include "tools/encode/wordpiece.h"

namespace dyad::encode {
namespace F = torch::nn::functional;
namespace {

using Weights = std::map<std::string, torch::Tensor>;

// The weights by name, without the prefix "bert." that some exports carry.
Result<Weights> load_weights(const std::filesystem::path& file) {
  DYAD_TRY(tensors, io::Safetensors::open(file));
  Weights out;
  for (const auto& [name, tensor] : tensors.tensors()) {
    if (tensor.dtype == io::DType::kI64 || tensor.dtype == io::DType::kI32) continue;   // position_ids of old exports
    DYAD_TRY(values, tensors.floats(name));
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    out[name.starts_with("bert.") ? name.substr(5) : name] = torch::tensor(values).view(shape);
  }
  return out;
}

Result<nlohmann::json> read_json(const std::filesystem::path& file) {
  DYAD_TRY(there, io::exists(file));
  if (!there) return nlohmann::json::object();
  DYAD_TRY(text, io::read_file(file));
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::kInvalid, "{}: not a JSON object; fetch the model again", file.string());
  return json;
}

template <class T>
Result<T> number(const nlohmann::json& json, const std::filesystem::path& file, const char* key, T otherwise) {
  const auto found = json.find(key);
  if (found == json.end()) return otherwise;
  if (!found->is_number())
    return fail(Code::kInvalid, "{}: {} is no number; fetch the model again", file.string(), key);
  return found->get<T>();
}

// Only exact gelu is computed; a config.json that says nothing of it is BERT's own, which has gelu.
Status require_gelu(const nlohmann::json& config, const std::filesystem::path& file) {
  const auto found = config.find("hidden_act");
  if (found == config.end() || *found == "gelu") return ok();
  return fail(Code::kInvalid, "{}: hidden_act is {}; only \"gelu\" is read", file.string(), found->dump());
}

Result<BertShape> shape_of(const std::filesystem::path& dir, const Weights& weights) {
  const auto words = weights.find("embeddings.word_embeddings.weight"),
             positions = weights.find("embeddings.position_embeddings.weight");
  if (words == weights.end() || positions == weights.end() || words->second.dim() != 2 || positions->second.dim() != 2)
    return fail(Code::kInvalid,
                "{}: no word and position embeddings; give a BERT-type model (relative positions are not read)",
                (dir / "model.safetensors").string());
  BertShape out{.hidden = words->second.size(1), .positions = positions->second.size(0)};
  while (weights.contains(fmt::format("encoder.layer.{}.attention.self.query.weight", out.layers))) ++out.layers;
  const auto file = dir / "config.json", sentence = dir / "sentence_bert_config.json";
  DYAD_TRY(config, read_json(file));
  DYAD_TRY(limits, read_json(sentence));
  DYAD_TRY(heads, number(config, file, "num_attention_heads", out.hidden / (out.hidden < 768 ? 32 : 64)));
  DYAD_TRY(eps, number(config, file, "layer_norm_eps", out.norm_eps));
  DYAD_TRY(tokens, number(limits, sentence, "max_seq_length", static_cast<std::int64_t>(out.tokens_max)));
  if (out.layers == 0 || heads < 1 || out.hidden % heads != 0)
    return fail(Code::kInvalid, "{}: {} layers, width {}, {} heads do not make a BERT", dir.string(), out.layers,
                out.hidden, heads);
  DYAD_TRYV(require_gelu(config, file));
  out.heads = heads;
  out.norm_eps = eps;
  out.tokens_max = static_cast<std::size_t>(std::clamp<std::int64_t>(tokens, 2, out.positions));
  return out;
}

// Every weight that forward() asks for, with its shape. `inner` is the feed-forward width.
Status check_weights(const std::filesystem::path& file, const Weights& weights, const BertShape& s) {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> wanted{
      {"embeddings.token_type_embeddings.weight", {-1, s.hidden}}, {"embeddings.LayerNorm.weight", {s.hidden}},
      {"embeddings.LayerNorm.bias", {s.hidden}}};
  for (std::int64_t l = 0; l < s.layers; ++l) {
    const auto at = fmt::format("encoder.layer.{}.", l);
    const auto inner_weight = weights.find(at + "intermediate.dense.weight");
    const std::int64_t inner = inner_weight == weights.end() ? -1 : inner_weight->second.size(0);
    for (const auto* part :
         {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}) {
      wanted.push_back({at + part + ".weight", {s.hidden, s.hidden}});
      wanted.push_back({at + part + ".bias", {s.hidden}});
    }
    wanted.push_back({at + "intermediate.dense.weight", {inner, s.hidden}});
    wanted.push_back({at + "intermediate.dense.bias", {inner}});
    wanted.push_back({at + "output.dense.weight", {s.hidden, inner}});
    wanted.push_back({at + "output.dense.bias", {s.hidden}});
    for (const auto* part : {"attention.output.LayerNorm", "output.LayerNorm"}) {
      wanted.push_back({at + part + ".weight", {s.hidden}});
      wanted.push_back({at + part + ".bias", {s.hidden}});
    }
  }
  for (const auto& [name, shape] : wanted) {
    const auto found = weights.find(name);
    if (found == weights.end())
      return fail(Code::kInvalid, "{}: no tensor {}; give a BERT-type model", file.string(), name);
    bool fits = found->second.dim() == static_cast<std::int64_t>(shape.size());
    for (std::size_t i = 0; fits && i < shape.size(); ++i)
      fits = shape[i] < 0 || shape[i] == found->second.size(static_cast<std::int64_t>(i));
    if (!fits)
      return fail(Code::kInvalid, "{}: tensor {} has an unexpected shape; fetch the model again", file.string(), name);
  }
  return ok();
}

}  // namespace

struct SentenceEncoder::State {
  Weights weights;
  BertShape shape;
  WordPiece words;

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
    return norm(y + linear(F::gelu(linear(y, at + "intermediate.dense")), at + "output.dense"),
                at + "output.LayerNorm");
  }
  // ids [B, T], mask [B, T] bool -> unit rows [B, hidden].
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& mask) const {
    auto x = F::embedding(ids, w("embeddings.word_embeddings.weight")) +
             w("embeddings.position_embeddings.weight").slice(0, 0, ids.size(1)) +
             w("embeddings.token_type_embeddings.weight")[0];
    x = norm(x, "embeddings.LayerNorm");
    const auto attend = mask.unsqueeze(1).unsqueeze(1);
    for (std::int64_t l = 0; l < shape.layers; ++l) x = layer(x, attend, l);
    const auto weight = mask.to(torch::kFloat).unsqueeze(-1);
    return F::normalize((x * weight).sum(1) / weight.sum(1), F::NormalizeFuncOptions().p(2).dim(-1));
  }
};

SentenceEncoder::SentenceEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
SentenceEncoder::SentenceEncoder(SentenceEncoder&&) noexcept = default;
SentenceEncoder::~SentenceEncoder() = default;
const BertShape& SentenceEncoder::shape() const { return state_->shape; }

Result<SentenceEncoder> SentenceEncoder::open(const std::filesystem::path& dir) {
  const auto file = dir / "model.safetensors";
  DYAD_TRY(words, WordPiece::open(dir / "vocab.txt"));
  DYAD_TRY(weights, load_weights(file));
  DYAD_TRY(shape, shape_of(dir, weights));
  DYAD_TRYV(check_weights(file, weights, shape));
  if (const auto rows = weights.at("embeddings.word_embeddings.weight").size(0);
      static_cast<std::int64_t>(words.size()) > rows)
    return fail(Code::kInvalid, "{}: {} pieces for {} word embeddings; vocabulary and model do not belong together",
                (dir / "vocab.txt").string(), words.size(), rows);
  return SentenceEncoder(std::make_unique<State>(State{std::move(weights), shape, std::move(words)}));
}

Result<io::Matrix> SentenceEncoder::encode(const std::vector<std::string>& texts, const EncodeOptions& options) const {
  torch::set_num_threads(static_cast<int>(std::max(1u, options.threads)));
  const torch::InferenceMode no_gradients;
  std::vector<std::vector<std::int32_t>> ids;
  for (const auto& text : texts) ids.push_back(state_->words.encode(text, state_->shape.tokens_max));
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return ids[a].size() > ids[b].size(); });
  io::Matrix out{texts.size(), static_cast<std::size_t>(state_->shape.hidden), {}};
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
