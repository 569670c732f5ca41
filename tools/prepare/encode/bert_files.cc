#include "tools/prepare/encode/bert_files.h"
#include <algorithm>
#include "common/io/atomic_file.h"
#include "common/io/files.h"
#include "tools/prepare/encode/declared.h"
#include "tools/prepare/encode/model_folder.h"

namespace dyad::encode {
namespace {

using Json = nlohmann::json;
using Path = std::filesystem::path;
using Named = std::pair<const char*, Activation>;

constexpr Named kHiddenActs[] = {
    {"gelu", Activation::kGelu},           {"gelu_python", Activation::kGelu},
    {"gelu_new", Activation::kGeluTanh},   {"gelu_fast", Activation::kGeluTanh},
    {"gelu_pytorch_tanh", Activation::kGeluTanh}, {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},           {"swish", Activation::kSilu}};
constexpr Named kDenseActs[] = {{"torch.nn.modules.activation.Tanh", Activation::kTanh},
                                {"torch.nn.modules.linear.Identity", Activation::kIdentity},
                                {"torch.nn.modules.activation.ReLU", Activation::kRelu},
                                {"torch.nn.modules.activation.GELU", Activation::kGelu},
                                {"torch.nn.modules.activation.SiLU", Activation::kSilu},
                                {"torch.nn.modules.activation.Sigmoid", Activation::kSigmoid}};

Result<Activation> activation_of(Declared& file, const char* key, std::span<const Named> known, Activation otherwise) {
  const Json* value = file.find(key);
  if (value == nullptr) return otherwise;
  std::string names;
  for (const auto& [name, activation] : known) {
    if (*value == name) return activation;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return fail(Code::kInvalid, "{}: {} is {}; read are {}", file.where(), key,
              value->is_structured() ? value->type_name() : value->dump(), names);
}

Result<std::size_t> tokens_of(double length, const std::string& where) {
  if (!(length >= 2) || length > 1e9) return fail(Code::kInvalid, "{}: a text of {} tokens; at least 2", where, length);
  return static_cast<std::size_t>(length);
}

Result<std::vector<Pooling>> read_pooling(const Path& file) {
  DYAD_TRY(json, Declared::open_present(file));
  const std::pair<const char*, Pooling> known[] = {{"cls_token", Pooling::kCls}, {"max_tokens", Pooling::kMax},
                                                   {"mean_tokens", Pooling::kMean},
                                                   {"mean_sqrt_len_tokens", Pooling::kMeanSqrt}};
  std::vector<Pooling> out;
  DYAD_TRY(one, json.text("pooling_mode"));
  for (const auto& [name, mode] : known) {                   // in the order in which they stand side by side
    DYAD_TRY(given, json.flag(std::string("pooling_mode_") + name));
    const std::string brief = std::string(name).substr(0, std::string(name).rfind("_token"));
    if (given.value_or(false) || (one && (*one == name || *one == brief))) out.push_back(mode);
  }
  for (const char* mode : {"weightedmean_tokens", "lasttoken"}) {
    DYAD_TRYV(json.require(std::string("pooling_mode_") + mode, false));
  }
  DYAD_TRYV(json.require("include_prompt", true));
  json.harmless({"word_embedding_dimension", "embedding_dimension"});
  DYAD_TRYV(json.finish());
  if (out.empty())
    return fail(Code::kInvalid, "{}: pooling_mode{} is not read; cls, max, mean and mean_sqrt_len are", file.string(),
                one ? " \"" + *one + "\"" : "");
  return out;
}

Result<Layer> read_dense(const Path& folder) {
  DYAD_TRY(json, Declared::open_present(folder / "config.json"));
  DYAD_TRY(in, json.whole("in_features"));
  DYAD_TRY(out, json.whole("out_features"));
  DYAD_TRY(bias, json.flag("bias"));
  DYAD_TRY(activation, activation_of(json, "activation_function", kDenseActs, Activation::kTanh));
  for (const char* key : {"module_input_name", "module_output_name"}) {
    DYAD_TRYV(json.require(key, "sentence_embedding"));
  }
  DYAD_TRYV(json.finish());
  if (!in || !out)
    return fail(Code::kInvalid, "{}: in_features or out_features is missing", (folder / "config.json").string());
  return Layer{.weights = folder / "model.safetensors",
               .in = static_cast<std::int64_t>(*in),
               .out = static_cast<std::int64_t>(*out),
               .bias = bias.value_or(true),
               .activation = activation};
}

struct Module { std::string type; Path folder; };
Result<std::vector<Module>> read_modules(const Path& dir) {
  const Path file = dir / "modules.json";
  DYAD_TRYV(check_is_fetched(file));
  DYAD_TRY(text, io::read_file(file));
  const Json list = Json::parse(text, nullptr, false);
  if (!list.is_array()) return fail(Code::kInvalid, "{}: not a JSON list; fetch the model again", file.string());
  std::vector<std::pair<double, Module>> found;
  for (const Json& entry : list) {
    if (!entry.is_object()) return fail(Code::kInvalid, "{}: a module is no object", file.string());
    Declared module(entry, file.string());
    DYAD_TRY(type, module.text("type"));
    DYAD_TRY(path, module.text("path"));
    DYAD_TRY(index, module.whole("idx"));
    module.harmless({"name", "kwargs"});
    DYAD_TRYV(module.finish());
    if (!type) return fail(Code::kInvalid, "{}: a module has no type", file.string());
    found.push_back({index.value_or(static_cast<double>(found.size())),
                     {*type, dir / path.value_or("")}});
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Module> out;
  for (auto& [_, module] : found) out.push_back(std::move(module));
  return out;
}

// "Pooling" of "sentence_transformers.models.Pooling", whatever its version calls what lies between; the classes of
// others compute what they like.
std::string published_class(const std::string& type) {
  return type.starts_with("sentence_transformers.") ? type.substr(type.rfind('.') + 1) : "";
}

Status take_modules(const Path& dir, SentenceFiles& out) {
  DYAD_TRY(modules, read_modules(dir));
  const std::string file = (dir / "modules.json").string();
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const auto& [full, folder] = modules[i];
    const std::string type = published_class(full);
    out.folders.push_back(folder);
    const bool in_place = i == 0   ? type == "Transformer"
                          : i == 1 ? type == "Pooling"
                                   : type == "Dense" || type == "Normalize";
    if (!in_place)
      return fail(Code::kInvalid,
                  "{}: module {} is {}; read are a Transformer, then a Pooling, then any Dense and Normalize, all of "
                  "sentence_transformers", file, i, full);
    if (type == "Transformer") out.transformer = folder;
    if (type == "Normalize") out.layers.push_back({.normalize = true});
    if (type == "Pooling") {
      DYAD_TRY(pooling, read_pooling(folder / "config.json"));
      out.pooling = std::move(pooling);
    }
    if (type == "Dense") {
      DYAD_TRY(dense, read_dense(folder));
      out.layers.push_back(std::move(dense));
    }
  }
  if (modules.size() < 2) return fail(Code::kInvalid, "{}: {} modules; a Transformer and a Pooling are wanted", file,
                                      modules.size());
  return ok();
}

Status read_prompt(const Path& file, std::string& prompt) {
  DYAD_TRY(json, Declared::open(file));
  DYAD_TRY(name, json.text("default_prompt_name"));
  DYAD_TRY(prompts, json.object("prompts"));
  if (name) {
    DYAD_TRY(text, prompts.text(*name));
    if (!text)
      return fail(Code::kInvalid, "{}: default_prompt_name is \"{}\", prompts has no such", file.string(), *name);
    prompt = *text;
  }
  DYAD_TRYV(json.require("model_type", "SentenceTransformer"));
  json.harmless({"__version__", "similarity_fn_name"});
  return json.finish();
}

// Keys that every config of the published library may have and that say nothing of what is computed for one text: what
// training, generation and the names of classes need.
void harmless_of_bert(Declared& json) {
  json.harmless({"_name_or_path", "name_or_path", "transformers_version", "torch_dtype", "dtype", "use_cache",
                 "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "initializer_range",
                 "gradient_checkpointing", "pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id",
                 "cls_token_id", "unk_token_id", "decoder_start_token_id", "id2label", "label2id", "num_labels",
                 "problem_type", "finetuning_task", "task_specific_params", "directionality", "pooler_fc_size",
                 "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
                 "chunk_size_feed_forward", "output_attentions", "output_hidden_states", "return_dict", "torchscript",
                 "tie_word_embeddings", "tokenizer_class", "prefix", "use_bfloat16", "tf_legacy_loss",
                 "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "max_length",
                 "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty",
                 "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty",
                 "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
                 "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id",
                 "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
                 "begin_suppress_tokens", "xla_device", "gradient_checkpointing_kwargs"});
}

Status check_kind(Declared& json) {
  DYAD_TRYV(json.require("model_type", "bert"));
  if (const Json* classes = json.find("architectures"))
    for (const Json& name : *classes)
      if (!name.is_string() || !name.get_ref<const std::string&>().starts_with("Bert"))
        return fail(Code::kInvalid, "{}: architectures has {}; only BERT is read", json.where(),
                    name.is_string() ? name.dump() : name.type_name());
  DYAD_TRYV(json.require("position_embedding_type", "absolute"));
  DYAD_TRYV(json.require("is_decoder", false));
  DYAD_TRYV(json.require("add_cross_attention", false));
  DYAD_TRYV(json.require("is_encoder_decoder", false));
  return json.require("pruned_heads", Json::object());
}

}  // namespace

Result<SentenceFiles> read_sentence_files(const Path& dir) {
  DYAD_TRYV(check_is_folder(dir));
  SentenceFiles out{.transformer = dir};
  DYAD_TRY(has_modules, io::exists(dir / "modules.json"));
  DYAD_TRY(has_pooling, io::exists(dir / "1_Pooling"));
  if (has_modules) { DYAD_TRYV(take_modules(dir, out)); }
  if (!has_modules && has_pooling) {
    DYAD_TRY(pooling, read_pooling(dir / "1_Pooling" / "config.json"));
    out.pooling = std::move(pooling);
    out.folders.push_back(dir / "1_Pooling");
  }
  DYAD_TRYV(check_nothing_unread(dir, out.folders));
  if (out.transformer != dir) { DYAD_TRYV(check_nothing_unread(out.transformer, out.folders)); }
  DYAD_TRY(limits, Declared::open(out.transformer / "sentence_bert_config.json"));
  DYAD_TRY(length, limits.whole("max_seq_length"));
  DYAD_TRY(lower, limits.flag("do_lower_case"));
  limits.harmless({"cache_dir"});
  DYAD_TRYV(limits.finish());
  out.lower_case = lower.value_or(false);
  if (length) {
    DYAD_TRY(tokens, tokens_of(*length, limits.where()));
    out.tokens_max = tokens;
  }
  DYAD_TRYV(read_prompt(dir / "config_sentence_transformers.json", out.prompt));
  return out;
}

Result<BertShape> read_bert_config(const Path& file, const FoundSizes& found) {
  DYAD_TRY(json, Declared::open_present(file));
  DYAD_TRYV(check_kind(json));
  BertShape out{.hidden = found.hidden, .layers = found.layers, .positions = found.positions};
  const std::pair<const char*, std::int64_t> sizes[] = {
      {"hidden_size", found.hidden},        {"embedding_size", found.hidden},
      {"num_hidden_layers", found.layers},  {"max_position_embeddings", found.positions},
      {"intermediate_size", found.inner},   {"vocab_size", found.words},
      {"type_vocab_size", found.types}};
  for (const auto& [key, size] : sizes) {
    DYAD_TRY(said, json.number(key));
    if (said && *said != static_cast<double>(size))
      return fail(Code::kInvalid, "{}: {} is {}, the weights have {}; they do not belong together", file.string(), key,
                  *said, size);
  }
  DYAD_TRY(heads, json.whole("num_attention_heads"));
  DYAD_TRY(eps, json.number("layer_norm_eps"));
  DYAD_TRY(activation, activation_of(json, "hidden_act", kHiddenActs, Activation::kGelu));
  harmless_of_bert(json);
  DYAD_TRYV(json.finish());
  if (!heads)
    return fail(Code::kInvalid, "{}: num_attention_heads is missing, and the weights do not tell it; fetch the model "
                "again", file.string());
  out.heads = static_cast<std::int64_t>(std::min(*heads, 1e9));
  out.norm_eps = eps.value_or(out.norm_eps);
  out.activation = activation;
  if (out.layers == 0 || out.heads < 1 || out.hidden % out.heads != 0)
    return fail(Code::kInvalid, "{}: {} layers, width {}, {} heads do not make a BERT", file.string(), out.layers,
                out.hidden, out.heads);
  return out;
}

}  // namespace dyad::encode
