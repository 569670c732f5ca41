#include "tools/prepare/encode/bert_weights.h"
#include <cstring>
#include <set>
#include <nlohmann/json.hpp>
#include "common/io/atomic_file.h"
#include "common/io/files.h"
#include "common/io/safetensors.h"
#include "tools/prepare/encode/model_folder.h"

namespace dyad::encode {
namespace {

using Path = std::filesystem::path;
using Shape = std::vector<std::int64_t>;
constexpr const char* kWeights = "model.safetensors";

// The files of a model, each once.
struct Files { Path named; std::vector<Path> shards; };
Result<Files> weight_files(const Path& dir) {
  const Path whole = dir / kWeights, index = dir / "model.safetensors.index.json";
  DYAD_TRY(has_whole, io::exists(whole));
  if (has_whole) return Files{whole, {whole}};
  DYAD_TRY(has_index, io::exists(index));
  if (!has_index)
    return fail(Code::kNotFound, "{}: no {} and no {}; save the model with safe_serialization", dir.string(), kWeights,
                index.filename().string());
  DYAD_TRYV(check_is_fetched(index));
  DYAD_TRY(text, io::read_file(index));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    return fail(Code::kInvalid, "{}: no weight_map; fetch the model again", index.string());
  std::set<Path> names;
  for (const auto& [tensor, name] : json["weight_map"].items()) {
    if (!name.is_string() || Path(name.get<std::string>()).has_parent_path())
      return fail(Code::kInvalid, "{}: {} is in no file of the folder", index.string(), tensor);
    names.insert(dir / name.get<std::string>());
  }
  for (const Path& shard : names) {
    DYAD_TRY(there, io::exists(shard));
    if (!there)
      return fail(Code::kNotFound, "{} is missing, and {} names it; fetch it too", shard.string(),
                  index.filename().string());
  }
  return Files{index, {names.begin(), names.end()}};
}

// As the published library renames what old exports hold: gamma and beta of a layer norm are its weight and bias.
std::string bare_name(std::string name) {
  if (name.starts_with("bert.")) name.erase(0, 5);
  for (const auto& [old, now] :
       {std::pair("LayerNorm.gamma", "LayerNorm.weight"), {"LayerNorm.beta", "LayerNorm.bias"}})
    if (name.ends_with(old)) name.replace(name.size() - std::strlen(old), std::string::npos, now);
  return name;
}

// What a sentence needs nothing of: the pooler and the heads of pre-training, position numbers of old exports.
bool is_left_out(const std::string& name) {
  return name.starts_with("pooler.") || name.starts_with("cls.") || name.ends_with("position_ids") ||
         name.ends_with("token_type_ids");
}

Status load_file(const Path& path, Weights& out) {
  DYAD_TRYV(check_is_fetched(path));
  DYAD_TRY(tensors, io::Safetensors::open(path));
  for (const auto& [name, tensor] : tensors.tensors()) {
    const std::string bare = bare_name(name);
    if (is_left_out(bare)) continue;
    DYAD_TRY(values, tensors.floats(name));
    const Shape shape(tensor.shape.begin(), tensor.shape.end());
    if (!out.emplace(bare, torch::tensor(values).view(shape)).second)
      return fail(Code::kInvalid, "{}: tensor {} comes twice", path.string(), bare);
  }
  return ok();
}

std::int64_t rows_of(const Weights& weights, const std::string& name) {
  const auto found = weights.find(name);
  return found == weights.end() || found->second.dim() == 0 ? -1 : found->second.size(0);
}

// Every weight that the network has, with its shape.
std::map<std::string, Shape> wanted_shapes(const FoundSizes& s) {
  const std::int64_t d = s.hidden;
  std::map<std::string, Shape> out{{"embeddings.word_embeddings.weight", {s.words, d}},
                                   {"embeddings.position_embeddings.weight", {s.positions, d}},
                                   {"embeddings.token_type_embeddings.weight", {s.types, d}}};
  const auto pair = [&](const std::string& name, Shape weight) {
    out[name + ".bias"] = {weight[0]};
    out[name + ".weight"] = std::move(weight);
  };
  pair("embeddings.LayerNorm", {d});
  for (std::int64_t l = 0; l < s.layers; ++l) {
    const auto at = fmt::format("encoder.layer.{}.", l);
    for (const auto* part :
         {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
      pair(at + part, {d, d});
    pair(at + "intermediate.dense", {s.inner, d});
    pair(at + "output.dense", {d, s.inner});
    for (const auto* part : {"attention.output.LayerNorm", "output.LayerNorm"}) pair(at + part, {d});
  }
  return out;
}

Status check(const Path& file, const Weights& weights, const std::map<std::string, Shape>& wanted) {
  for (const auto& [name, shape] : wanted) {
    const auto found = weights.find(name);
    if (found == weights.end())
      return fail(Code::kInvalid, "{}: no tensor {}; give a BERT-type model", file.string(), name);
    if (found->second.sizes() != torch::IntArrayRef(shape))
      return fail(Code::kInvalid, "{}: tensor {} has an unexpected shape; fetch the model again", file.string(), name);
  }
  for (const auto& [name, _] : weights)
    if (!wanted.contains(name))
      return fail(Code::kInvalid, "{}: tensor {} is no part of a BERT; this architecture is not read", file.string(),
                  name);
  return ok();
}

}  // namespace

Result<BertWeights> load_bert(const Path& dir) {
  DYAD_TRY(files, weight_files(dir));
  BertWeights out{.file = files.named};
  for (const Path& shard : files.shards) { DYAD_TRYV(load_file(shard, out.weights)); }
  const auto words = out.weights.find("embeddings.word_embeddings.weight");
  if (words == out.weights.end() || words->second.dim() != 2)
    return fail(Code::kInvalid, "{}: no tensor embeddings.word_embeddings.weight; give a BERT-type model",
                files.named.string());
  out.sizes = {.hidden = words->second.size(1),
               .layers = 0,
               .positions = rows_of(out.weights, "embeddings.position_embeddings.weight"),
               .inner = rows_of(out.weights, "encoder.layer.0.intermediate.dense.weight"),
               .words = words->second.size(0),
               .types = rows_of(out.weights, "embeddings.token_type_embeddings.weight")};
  while (out.weights.contains(fmt::format("encoder.layer.{}.attention.self.query.weight", out.sizes.layers)))
    ++out.sizes.layers;
  DYAD_TRYV(check(files.named, out.weights, wanted_shapes(out.sizes)));
  return out;
}

Result<Weights> load_dense(const Layer& layer) {
  DYAD_TRY(there, io::exists(layer.weights));
  if (!there)
    return fail(Code::kNotFound, "{} is missing; save the model with safe_serialization", layer.weights.string());
  Weights out;
  DYAD_TRYV(load_file(layer.weights, out));
  if (!layer.bias && out.contains("linear.bias"))
    return fail(Code::kInvalid, "{}: has linear.bias, and the config.json beside it says that there is no bias; fetch "
                "the model again", layer.weights.string());
  std::map<std::string, Shape> wanted{{"linear.weight", {layer.out, layer.in}}};
  if (layer.bias) wanted["linear.bias"] = {layer.out};
  DYAD_TRYV(check(layer.weights, out, wanted));
  return out;
}

}  // namespace dyad::encode
