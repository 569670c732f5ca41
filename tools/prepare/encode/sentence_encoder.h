#pragma once
// A BERT-type sentence encoder (all-MiniLM-L6-v2 and its kin): WordPiece, embeddings, post-norm transformer layers,
// pooling over the tokens that are no padding, dense layers if the model has some; always of unit length, for codes and
// L_con compare directions. What the folder declares is honoured or refused by name (bert_files.h, tokenizer_files.h).
// Weights are read, never trained. LibTorch stays in the .cc.
// Threads: one caller; LibTorch's own threads inside.  Ownership: holds the weights (about 90 MB for MiniLM).
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/io/matrix.h"
#include "tools/prepare/encode/bert_files.h"

namespace dyad::encode {

struct EncodeOptions {
  std::size_t batch = 64;                              // texts at a time
  unsigned threads = 1;                                // LibTorch's, set for the process
  std::function<void(std::size_t)> progress;           // hears the number of texts done
};

class SentenceEncoder {
 public:
  // Fails with kNotFound or kInvalid naming the file and the tensor or key.
  static Result<SentenceEncoder> open(const std::filesystem::path& dir);
  SentenceEncoder(SentenceEncoder&&) noexcept;
  ~SentenceEncoder();

  const BertShape& shape() const;
  // A unit row per text, in their order. Batches hold texts of like length, the longest first.
  // REQUIRES: batch >= 1.
  Result<io::Matrix> encode(const std::vector<std::string>& texts, const EncodeOptions& options) const;

 private:
  struct State;
  explicit SentenceEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dyad::encode
