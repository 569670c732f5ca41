#pragma once
// BERT's uncased tokenizer: basic tokenisation (controls dropped, lower case, accents stripped, ideographs and
// punctuation set apart), then WordPiece: the longest piece of the vocabulary first, "##" before all but the first of
// a word.
// Threads: immutable after open.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "common/base/result.h"

namespace dyad::encode {

class WordPiece {
 public:
  // Reads vocab.txt, a piece a line, its number the line's. Fails with kNotFound, or kInvalid naming the file if
  // [UNK], [CLS], [SEP] or [PAD] is missing.
  static Result<WordPiece> open(const std::filesystem::path& vocabulary);

  std::size_t size() const { return ids_.size(); }
  std::int32_t pad() const { return pad_; }
  // [CLS] pieces [SEP], cut to `length_max` ids.   REQUIRES: length_max >= 2.
  std::vector<std::int32_t> encode(std::string_view text, std::size_t length_max) const;

 private:
  void append_word(const std::u32string& word, std::vector<std::int32_t>& out) const;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::int32_t pad_ = 0, unknown_ = 0, start_ = 0, end_ = 0;
};

// The words of a text after basic tokenisation.
std::vector<std::u32string> basic_tokens(std::string_view text);

}  // namespace dyad::encode
