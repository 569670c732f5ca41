#pragma once
// BERT's tokenizer: basic tokenisation (controls dropped, lower case, accents stripped, ideographs and punctuation set
// apart), then WordPiece: the longest piece of the vocabulary first, "##" before all but the first of a word.
// Threads: immutable after open.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "common/base/result.h"

namespace dyad::encode {

struct WordPieceRules {                    // what a model declares of its tokenizer, by the published default
  bool lower_case = true, strip_accents = true, ideographs_apart = true;
  std::string pad = "[PAD]", unknown = "[UNK]", start = "[CLS]", end = "[SEP]", inner = "##";
  std::size_t word_max = 100;              // longer words are unknown
};

class WordPiece {
 public:
  using Pieces = std::unordered_map<std::string, std::int32_t>;
  // Fails with kInvalid, `where` at its head, if one of the rules' four tokens is missing or a number is negative.
  static Result<WordPiece> make(Pieces pieces, WordPieceRules rules, const std::string& where);
  // Reads vocab.txt, a piece a line, its number the line's. Fails with kNotFound, or as make() does.
  static Result<WordPiece> open(const std::filesystem::path& vocabulary, const WordPieceRules& rules = {});

  std::size_t size() const { return ids_.size(); }
  std::int32_t largest() const { return largest_; }
  std::int32_t pad() const { return pad_; }
  // [CLS] pieces [SEP], cut to `length_max` ids.   REQUIRES: length_max >= 2.
  std::vector<std::int32_t> encode(std::string_view text, std::size_t length_max) const;

 private:
  void append_word(const std::u32string& word, std::vector<std::int32_t>& out) const;
  Pieces ids_;
  WordPieceRules rules_;
  std::int32_t pad_ = 0, unknown_ = 0, start_ = 0, end_ = 0, largest_ = 0;
};

Result<WordPiece::Pieces> read_vocabulary(const std::filesystem::path& file);
// The words of a text after basic tokenisation.
std::vector<std::u32string> basic_tokens(std::string_view text, const WordPieceRules& rules = {});

}  // namespace dyad::encode
