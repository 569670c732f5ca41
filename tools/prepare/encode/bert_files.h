#pragma once
// What the folder of a sentence encoder declares beside its weights and its tokenizer: config.json (the transformer),
// modules.json with a folder for each module (pooling, dense layers), sentence_bert_config.json and
// config_sentence_transformers.json. What is not computed here is refused by its name. No LibTorch.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::encode {

enum class Activation { kIdentity, kGelu, kGeluTanh, kRelu, kSilu, kSigmoid, kTanh };

struct BertShape {
  std::int64_t hidden = 0, layers = 0, heads = 0, positions = 0;
  double norm_eps = 1e-12;
  Activation activation = Activation::kGelu;
  std::size_t tokens_max = 256;           // of a text, [CLS] and [SEP] counted; the published MiniLM's limit
};

enum class Pooling { kCls, kMax, kMean, kMeanSqrt };
struct Layer {                            // after pooling: a dense layer, or scaling to unit length
  bool normalize = false;
  std::filesystem::path weights;          // model.safetensors of a dense layer
  std::int64_t in = 0, out = 0;
  bool bias = true;
  Activation activation = Activation::kTanh;
};
struct SentenceFiles {
  std::filesystem::path transformer;      // the folder of config.json, weights and tokenizer
  std::vector<Pooling> pooling{Pooling::kMean};   // one after the other, side by side
  std::vector<Layer> layers;
  std::vector<std::filesystem::path> folders;     // of the modules
  std::optional<std::size_t> tokens_max;  // max_seq_length
  bool lower_case = false;                // texts before they are tokenized
  std::string prompt;                     // before each text
};
// A folder without modules.json is a plain transformer: the mean over the tokens. Fails with kInvalid naming file and
// key.
Result<SentenceFiles> read_sentence_files(const std::filesystem::path& dir);

// `found`: the sizes as the weights have them; what config.json says must agree, and adds heads, norm and activation.
// Fails with kNotFound without that file; kInvalid without its num_attention_heads, of which weights know nothing.
struct FoundSizes { std::int64_t hidden, layers, positions, inner, words, types; };
Result<BertShape> read_bert_config(const std::filesystem::path& file, const FoundSizes& found);

}  // namespace dyad::encode
