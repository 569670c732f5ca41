#include "tools/encode/wordpiece.h"
#include "common/base/check.h"
#include "common/io/atomic_file.h"
#include "tools/encode/unicode.h"

namespace dyad::encode {
namespace {
constexpr std::size_t kWordMax = 100;                   // longer words are [UNK], as in the published tokenizer
}

std::vector<std::u32string> basic_tokens(std::string_view text) {
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
    append_plain(plain, c);
    for (const char32_t p : plain) {
      const bool alone = is_punctuation(p) || is_cjk(p);
      if (alone) end_word();
      word.push_back(p);
      if (alone) end_word();
    }
  }
  end_word();
  return out;
}

Result<WordPiece> WordPiece::open(const std::filesystem::path& vocabulary) {
  DYAD_TRY(text, io::read_file(vocabulary));
  WordPiece out;
  std::int32_t line = 0;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string piece = text.substr(at, end - at);
    if (!piece.empty() && piece.back() == '\r') piece.pop_back();
    out.ids_.emplace(std::move(piece), line);
    at = end + 1;
  }
  for (const auto& [name, id] :
       {std::pair{"[PAD]", &out.pad_}, {"[UNK]", &out.unknown_}, {"[CLS]", &out.start_}, {"[SEP]", &out.end_}}) {
    const auto found = out.ids_.find(name);
    if (found == out.ids_.end())
      return fail(Code::kInvalid, "{}: no {} among {} pieces; give the vocab.txt of a BERT-type model",
                  vocabulary.string(), name, line);
    *id = found->second;
  }
  return out;
}

void WordPiece::append_word(const std::u32string& word, std::vector<std::int32_t>& out) const {
  if (word.size() > kWordMax) return out.push_back(unknown_);
  const std::size_t before = out.size();
  for (std::size_t at = 0; at < word.size();) {
    std::size_t end = word.size();
    for (; end > at; --end) {
      std::string piece = at > 0 ? "##" : "";
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
  for (const auto& word : basic_tokens(text)) {
    append_word(word, out);
    if (out.size() >= length_max) break;
  }
  out.resize(std::min(out.size(), length_max - 1));
  out.push_back(end_);
  return out;
}

}  // namespace dyad::encode
