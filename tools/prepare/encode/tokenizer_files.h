#pragma once
// The tokenizer that a model's folder declares: tokenizer_config.json, tokenizer.json, special_tokens_map.json,
// added_tokens.json and vocab.txt. BERT's WordPiece in all its settings is read; another kind, or a setting that is not
// known here, is refused by its name.
#include <filesystem>
#include <optional>
#include "common/base/result.h"
#include "tools/prepare/encode/wordpiece.h"

namespace dyad::encode {

struct Tokenizer {
  WordPiece words;
  std::filesystem::path vocabulary;                  // the file of the two that was read
  std::optional<std::size_t> length_max;             // model_max_length
};
// The vocabulary is tokenizer.json's where there is one (vocab.txt, if it is there too, must hold the same), else
// vocab.txt's. tokenizer_config.json goes before tokenizer.json, as in the published library. Fails with kNotFound if
// neither is there.
Result<Tokenizer> open_tokenizer(const std::filesystem::path& dir);

}  // namespace dyad::encode
