#pragma once
// A BERT-type sentence encoder (all-MiniLM-L6-v2 and its kin): WordPiece, embeddings, post-norm transformer layers with
// GELU, mean over the tokens that are no padding, unit length. Weights are read, never trained. LibTorch stays in the
// .cc.
// Threads: one caller; LibTorch's own threads inside.  Ownership: holds the weights (about 90 MB for MiniLM).
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/io/matrix.h"

namespace dyad::encode {

struct BertShape {
  std::int64_t hidden = 0, layers = 0, heads = 0, positions = 0;
  double norm_eps = 1e-12;
  std::size_t tokens_max = 256;           // of a text, [CLS] and [SEP] counted; the published MiniLM's limit
};

struct EncodeOptions {
  std::size_t batch = 64;                              // texts at a time
  unsigned threads = 1;                                // LibTorch's, set for the process
  std::function<void(std::size_t)> progress;           // hears the number of texts done
};

class SentenceEncoder {
 public:
  // Reads model.safetensors and vocab.txt of `dir`, config.json and sentence_bert_config.json where they are there;
  // without them the sizes come from the tensors' shapes, and heads are 32 wide below 768, else 64. Fails with
  // kNotFound or kInvalid naming the file and the tensor or key.
  static Result<SentenceEncoder> open(const std::filesystem::path& dir);
  SentenceEncoder(SentenceEncoder&&) noexcept;
  ~SentenceEncoder();

  const BertShape& shape() const;
  // A unit row per text, [texts, hidden], in their order. Batches hold texts of like length, the longest first.
  // REQUIRES: batch >= 1.
  Result<io::Matrix> encode(const std::vector<std::string>& texts, const EncodeOptions& options) const;

 private:
  struct State;
  explicit SentenceEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dyad::encode
