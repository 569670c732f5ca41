#pragma once
// The Unicode that BERT's basic tokenizer needs: UTF-8 in and out, classes of characters, plain lower-case letters.
// The tables are Unicode's own, of all planes (unicode_tables.py).
#include <string>
#include <string_view>
#include <vector>

namespace dyad::encode {

std::u32string decode_utf8(std::string_view text);     // ill-formed bytes become U+FFFD
void append_utf8(std::string& out, char32_t c);

bool is_space(char32_t c);                             // Zs, line ends, tab
bool is_control(char32_t c);                           // Cc, Cf, Co but tab and line ends; U+0000 and U+FFFD
bool is_mark(char32_t c);                              // Mn
bool is_punctuation(char32_t c);   // P*, and every ASCII character that is no letter, digit or space
bool is_cjk(char32_t c);                               // the ideographs that BERT sets apart

struct Folding { bool lower = true, strip = true; };     // upper case, accents
// Appends the characters that `c` stands for: with `strip` nothing for a mark, two or three jamo for Hangul. Accents go
// before case does.
void append_folded(std::u32string& out, char32_t c, Folding how);

}  // namespace dyad::encode
