#pragma once
// The weights of a BERT-type encoder and of the dense layers after it, by name, each checked for its shape: nothing
// that the files hold is passed over but what only training or another task needs.
#include <filesystem>
#include <map>
#include <string>
#include <torch/torch.h>
#include "common/base/result.h"
#include "tools/prepare/encode/bert_files.h"

namespace dyad::encode {

using Weights = std::map<std::string, torch::Tensor>;     // without the prefix "bert." that some exports carry

struct BertWeights {
  std::filesystem::path file;                             // model.safetensors, or the index of its shards
  Weights weights;
  FoundSizes sizes;
};
// model.safetensors, or the shards that model.safetensors.index.json lists. Fails with kNotFound or kInvalid naming the
// file and the tensor that is missing, of another shape, or unknown.
Result<BertWeights> load_bert(const std::filesystem::path& dir);

// "linear.weight" [out, in] and "linear.bias" of a dense layer.
Result<Weights> load_dense(const Layer& layer);

}  // namespace dyad::encode
