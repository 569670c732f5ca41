#include "tools/prepare/encode/tokenizer_files.h"
#include <algorithm>
#include <array>
#include "common/base/printable.h"
#include "common/io/files.h"
#include "tools/prepare/encode/declared.h"

namespace dyad::encode {
namespace {

using Json = nlohmann::json;
using Path = std::filesystem::path;

struct Settings {
  WordPieceRules rules;
  std::string mask = "[MASK]";
  std::optional<bool> strip, lower, ideographs;      // the first file that says so decides
  std::optional<std::size_t> length_max;
};

// A special token is a text, or an object that holds it as "content".
Status take_token(Declared& file, const std::string& key, std::string& out) {
  const Json* value = file.find(key);
  if (value == nullptr) return ok();
  const Json& content = value->is_object() && value->contains("content") ? value->at("content") : *value;
  if (!content.is_string()) return fail(Code::kInvalid, "{}: {} is no token", file.where(), key);
  out = content.get<std::string>();
  return ok();
}

Status take_tokens(Declared& file, Settings& s) {
  DYAD_TRYV(take_token(file, "pad_token", s.rules.pad));
  DYAD_TRYV(take_token(file, "unk_token", s.rules.unknown));
  DYAD_TRYV(take_token(file, "cls_token", s.rules.start));
  DYAD_TRYV(take_token(file, "sep_token", s.rules.end));
  return take_token(file, "mask_token", s.mask);
}

// Tokens that are looked for before a text is split. The special ones do not come in titles; others would.
Status only_special(const Json& token, const Settings& s, const std::string& where) {
  const Json& content = token.is_object() && token.contains("content") ? token.at("content") : token;
  const std::array known{s.rules.pad, s.rules.unknown, s.rules.start, s.rules.end, s.mask};
  if (content.is_string() && std::ranges::find(known, content.get<std::string>()) != known.end()) return ok();
  return fail(Code::kInvalid, "{}: the added token {} is not read; only the special tokens of BERT are", where,
              content.is_string() ? printable(content.dump()) : content.type_name());
}

Status read_config(Declared file, Settings& s) {
  DYAD_TRY(kind, file.text("tokenizer_class"));
  if (kind && *kind != "BertTokenizer" && *kind != "BertTokenizerFast")
    return fail(Code::kInvalid, "{}: tokenizer_class is \"{}\"; only \"BertTokenizer\" is read", file.where(), *kind);
  DYAD_TRY(lower_case, file.flag("do_lower_case"));
  DYAD_TRY(strip_accents, file.flag("strip_accents"));
  DYAD_TRY(ideographs, file.flag("tokenize_chinese_chars"));
  DYAD_TRY(length, file.whole("model_max_length"));
  s.lower = lower_case;
  s.strip = strip_accents;
  s.ideographs = ideographs;
  if (length && *length < 1e9) s.length_max = static_cast<std::size_t>(std::max(*length, 2.0));   // 1e30: no limit
  DYAD_TRYV(take_tokens(file, s));
  DYAD_TRYV(file.require("do_basic_tokenize", true));
  DYAD_TRYV(file.require("truncation_side", "right"));
  DYAD_TRYV(file.require("padding_side", "right"));       // positions count from the start of the row
  DYAD_TRYV(file.require("never_split", Json::array()));
  for (const char* key : {"added_tokens_decoder", "additional_special_tokens", "extra_special_tokens"})
    if (const Json* tokens = file.find(key))
      for (const auto& [_, token] : tokens->items()) {
        DYAD_TRYV(only_special(token, s, file.where()));
      }
  file.harmless({"clean_up_tokenization_spaces", "max_length", "stride", "truncation_strategy",
                 "pad_to_multiple_of", "pad_token_type_id", "model_input_names", "name_or_path", "tokenizer_file",
                 "special_tokens_map_file", "from_slow", "init_inputs", "processor_class", "is_local", "backend",
                 "transformers_version"});
  return file.finish();
}

Result<WordPiece::Pieces> read_model(Declared model, WordPieceRules& rules) {
  DYAD_TRYV(model.require("type", "WordPiece"));
  DYAD_TRY(inner, model.text("continuing_subword_prefix"));
  if (!inner) { DYAD_TRYV(model.demand("type", "WordPiece")); }      // old files have the prefix alone
  DYAD_TRY(longest, model.whole("max_input_chars_per_word"));
  DYAD_TRY(unknown, model.text("unk_token"));
  rules.inner = inner.value_or("##");
  if (longest) rules.word_max = static_cast<std::size_t>(std::clamp(*longest, 1.0, 1e6));
  if (unknown) rules.unknown = *unknown;
  DYAD_TRY(vocabulary, model.object("vocab"));
  WordPiece::Pieces out;
  const Json* pieces = model.find("vocab");
  if (pieces != nullptr)
    for (const auto& [piece, id] : pieces->items()) {
      if (!id.is_number_integer() || id < 0 || id > INT32_MAX)
        return fail(Code::kInvalid, "{}: '{}' has no number", vocabulary.where(), piece);
      out.emplace(piece, id.get<std::int32_t>());
    }
  DYAD_TRYV(model.finish());
  return out;
}

Status read_normalizer(Declared normal, Settings& s) {
  DYAD_TRYV(normal.demand("type", "BertNormalizer"));
  DYAD_TRYV(normal.require("clean_text", true));
  DYAD_TRY(lowercase, normal.flag("lowercase"));
  DYAD_TRY(accents, normal.flag("strip_accents"));
  DYAD_TRY(ideographs, normal.flag("handle_chinese_chars"));
  if (!s.lower) s.lower = lowercase;
  if (!s.strip) s.strip = accents;
  if (!s.ideographs) s.ideographs = ideographs;
  return normal.finish();
}

// [CLS] text [SEP], which is all that is made of a text here. `pieces` have the numbers of both.
Status check_processor(Declared processor, const WordPieceRules& rules, const WordPiece::Pieces& pieces) {
  DYAD_TRY(kind, processor.text("type"));
  const auto number_of = [&](const std::string& token) {
    const auto found = pieces.find(token);
    return found == pieces.end() ? -1 : found->second;
  };
  if (kind == "BertProcessing") {
    DYAD_TRYV(processor.demand("cls", Json::array({rules.start, number_of(rules.start)})));
    DYAD_TRYV(processor.demand("sep", Json::array({rules.end, number_of(rules.end)})));
    return processor.finish();
  }
  if (kind != "TemplateProcessing")
    return fail(Code::kInvalid, "{}: type is \"{}\"; only BERT's is read", processor.where(), kind.value_or(""));
  const Json wanted = Json::array({{{"SpecialToken", {{"id", rules.start}, {"type_id", 0}}}},
                                   {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                   {{"SpecialToken", {{"id", rules.end}, {"type_id", 0}}}}});
  DYAD_TRYV(processor.demand("single", wanted));
  DYAD_TRY(tokens, processor.object("special_tokens"));
  for (const std::string& name : {rules.start, rules.end}) {
    DYAD_TRY(token, tokens.object(name));
    DYAD_TRYV(token.demand("ids", Json::array({number_of(name)})));
  }
  processor.harmless({"pair"});                       // of two texts
  return processor.finish();
}

// A section that is absent or null does nothing, where BERT's would have lower-cased, split or framed the text.
Result<Declared> section(Declared& file, const char* key) {
  if (file.find(key) == nullptr)
    return fail(Code::kInvalid, "{}: {} is missing, so this is not BERT's tokenizer; if vocab.txt and "
                "tokenizer_config.json say how texts are split, take tokenizer.json out of a copy of the folder",
                file.where(), key);
  return file.object(key);
}

// A text's length is set where it is encoded, the side on which it is cut or filled up is not.
Status check_sides(Declared& file) {
  for (const char* key : {"truncation", "padding"}) {
    DYAD_TRY(how, file.object(key));
    DYAD_TRYV(how.require("direction", "Right"));
  }
  return ok();
}

Result<WordPiece::Pieces> read_fast(Declared file, Settings& s) {
  DYAD_TRY(model, section(file, "model"));
  DYAD_TRY(pieces, read_model(std::move(model), s.rules));
  if (pieces.empty()) return std::move(pieces);       // WordPiece::make() says so
  DYAD_TRY(normal, section(file, "normalizer"));
  DYAD_TRYV(read_normalizer(std::move(normal), s));
  DYAD_TRY(splitter, section(file, "pre_tokenizer"));
  DYAD_TRYV(splitter.demand("type", "BertPreTokenizer"));
  DYAD_TRYV(splitter.finish());
  DYAD_TRY(processor, section(file, "post_processor"));
  DYAD_TRYV(check_processor(std::move(processor), s.rules, pieces));
  DYAD_TRYV(check_sides(file));
  if (const Json* added = file.find("added_tokens"))
    for (const Json& token : *added) { DYAD_TRYV(only_special(token, s, file.where())); }
  file.harmless({"version", "decoder"});
  DYAD_TRYV(file.finish());
  return std::move(pieces);
}

}  // namespace

Result<Tokenizer> open_tokenizer(const Path& dir) {
  const Path fast = dir / "tokenizer.json", list = dir / "vocab.txt";
  Settings s;
  DYAD_TRY(special, Declared::open(dir / "special_tokens_map.json"));
  DYAD_TRYV(take_tokens(special, s));
  DYAD_TRYV(special.finish());
  DYAD_TRY(config, Declared::open(dir / "tokenizer_config.json"));
  DYAD_TRYV(read_config(std::move(config), s));
  DYAD_TRY(added, Declared::open(dir / "added_tokens.json"));
  for (const std::string* token : {&s.rules.pad, &s.rules.unknown, &s.rules.start, &s.rules.end, &s.mask})
    added.find(*token);
  DYAD_TRYV(added.finish());
  DYAD_TRY(has_fast, io::exists(fast));
  DYAD_TRY(has_list, io::exists(list));
  if (!has_fast && !has_list)
    return fail(Code::kNotFound, "{}: neither tokenizer.json nor vocab.txt; give the folder of a BERT-type model",
                dir.string());
  WordPiece::Pieces pieces;
  if (has_fast) {
    DYAD_TRY(file, Declared::open(fast));
    DYAD_TRY(found, read_fast(std::move(file), s));
    pieces = std::move(found);
  }
  if (has_list) {
    DYAD_TRY(lines, read_vocabulary(list));
    if (has_fast && lines != pieces)
      return fail(Code::kInvalid, "{} and {} hold different vocabularies; take the wrong one away", fast.string(),
                  list.string());
    pieces = std::move(lines);
  }
  s.rules.lower_case = s.lower.value_or(true);
  s.rules.strip_accents = s.strip.value_or(s.rules.lower_case);
  s.rules.ideographs_apart = s.ideographs.value_or(true);
  const Path& vocabulary = has_fast ? fast : list;
  DYAD_TRY(words, WordPiece::make(std::move(pieces), s.rules, vocabulary.string()));
  return Tokenizer{std::move(words), vocabulary, s.length_max};
}

}  // namespace dyad::encode
