#include "tools/prepare/encode/wordpiece.h"
#include "common/base/check.h"
#include "tools/prepare/encode/model_folder.h"
#include "tools/prepare/encode/unicode.h"
#include "tools/prepare/import/text_file.h"

namespace dyad::encode {

std::vector<std::u32string> basic_tokens(std::string_view text, const WordPieceRules& rules) {
  std::vector<std::u32string> out;
  std::u32string word;
  const auto end_word = [&] {
    if (!word.empty()) out.push_back(std::move(word));
    word.clear();
  };
  for (const char32_t c : decode_utf8(text)) {
    if (is_control(c)) continue;
    std::u32string plain;
    if (is_space(c)) { end_word(); continue; }
    append_folded(plain, c, {rules.lower_case, rules.strip_accents});
    for (const char32_t p : plain) {
      const bool alone = is_punctuation(p) || (rules.ideographs_apart && is_cjk(p));
      if (alone) end_word();
      word.push_back(p);
      if (alone) end_word();
    }
  }
  end_word();
  return out;
}

Result<WordPiece::Pieces> read_vocabulary(const std::filesystem::path& file) {
  DYAD_TRYV(check_is_fetched(file));
  DYAD_TRY(input, importer::TextFile::open(file));           // blank lines at the end are no pieces
  const std::string_view text = input.text();
  WordPiece::Pieces out;
  std::int32_t line = 0;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string piece(text.substr(at, end - at));
    if (!piece.empty() && piece.back() == '\r') piece.pop_back();
    out.emplace(std::move(piece), line);
    at = end + 1;
  }
  return out;
}

Result<WordPiece> WordPiece::make(Pieces pieces, WordPieceRules rules, const std::string& where) {
  WordPiece out;
  out.ids_ = std::move(pieces);
  out.rules_ = std::move(rules);
  for (const auto& [piece, id] : out.ids_) {
    if (id < 0) return fail(Code::kInvalid, "{}: piece '{}' has the number {}", where, piece, id);
    out.largest_ = std::max(out.largest_, id);
  }
  for (const auto& [name, id] : {std::pair{&out.rules_.pad, &out.pad_}, {&out.rules_.unknown, &out.unknown_},
                                 {&out.rules_.start, &out.start_}, {&out.rules_.end, &out.end_}}) {
    const auto found = out.ids_.find(*name);
    if (found == out.ids_.end())
      return fail(Code::kInvalid, "{}: no {} among {} pieces; give the vocabulary of a BERT-type model", where, *name,
                  out.ids_.size());
    *id = found->second;
  }
  return out;
}

Result<WordPiece> WordPiece::open(const std::filesystem::path& vocabulary, const WordPieceRules& rules) {
  DYAD_TRY(pieces, read_vocabulary(vocabulary));
  return make(std::move(pieces), rules, vocabulary.string());
}

void WordPiece::append_word(const std::u32string& word, std::vector<std::int32_t>& out) const {
  if (word.size() > rules_.word_max) return out.push_back(unknown_);
  const std::size_t before = out.size();
  for (std::size_t at = 0; at < word.size();) {
    std::size_t end = word.size();
    for (; end > at; --end) {
      std::string piece = at > 0 ? rules_.inner : "";
      for (std::size_t i = at; i < end; ++i) append_utf8(piece, word[i]);
      const auto found = ids_.find(piece);
      if (found == ids_.end()) continue;
      out.push_back(found->second);
      break;
    }
    if (end == at) {                                    // no piece fits: the whole word is unknown
      out.resize(before);
      return out.push_back(unknown_);
    }
    at = end;
  }
}

std::vector<std::int32_t> WordPiece::encode(std::string_view text, std::size_t length_max) const {
  CHECK_GE(length_max, 2u);
  std::vector<std::int32_t> out{start_};
  for (const auto& word : basic_tokens(text, rules_)) {
    append_word(word, out);
    if (out.size() >= length_max) break;
  }
  out.resize(std::min(out.size(), length_max - 1));
  out.push_back(end_);
  return out;
}

}  // namespace dyad::encode
