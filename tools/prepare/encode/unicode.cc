#include "tools/prepare/encode/unicode.h"
#include <algorithm>
#include <iterator>
#include <unordered_map>
#include "tools/prepare/encode/unicode_tables.h"

namespace dyad::encode {
namespace {

template <std::size_t N> bool in(const Range (&ranges)[N], char32_t c) {
  const auto* after =
      std::upper_bound(std::begin(ranges), std::end(ranges), c, [](char32_t x, const Range& r) { return x < r.first; });
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

// By character what it becomes, of the words of a table.
using Letters = std::unordered_map<char32_t, std::u32string>;
Letters letters_of(const char* table) {
  Letters out;
  const std::u32string text = decode_utf8(table);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(U' ', at), text.size());
    out.emplace(text[at], text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return out;
}

void append_lower(std::u32string& out, char32_t c) {
  static const Letters lower = letters_of(kLower);
  if (c < 0x80) return out.push_back(c >= 'A' && c <= 'Z' ? c + 32 : c);
  const auto found = lower.find(c);
  if (found == lower.end()) out.push_back(c);
  else out += found->second;
}

// Canonical decomposition without marks.
void append_bare(std::u32string& out, char32_t c) {
  static const Letters bare = letters_of(kBare);
  if (is_mark(c)) return;
  if (c >= 0xac00 && c <= 0xd7a3) {                                // Hangul syllables decompose by arithmetic
    const char32_t s = c - 0xac00;
    out.push_back(0x1100 + s / 588);
    out.push_back(0x1161 + s % 588 / 28);
    if (s % 28) out.push_back(0x11a7 + s % 28);
    return;
  }
  const auto found = bare.find(c);
  if (found == bare.end()) out.push_back(c);
  else out += found->second;
}

// One character at `at`; moves past it. The smallest form only, no surrogates, at most U+10FFFF.
char32_t decode_one(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at++);
  if (lead < 0x80) return lead;
  const std::size_t more = lead >= 0xf0 && lead < 0xf5   ? 3
                           : lead >= 0xe0 && lead < 0xf0 ? 2
                           : lead >= 0xc2 && lead < 0xe0 ? 1
                                                         : 0;
  if (more == 0) return 0xfffd;
  char32_t c = lead & (0x3f >> more);
  std::size_t i = at;
  for (std::size_t n = 0; n < more; ++n, ++i) {
    if (i >= text.size() || (byte(i) & 0xc0) != 0x80) return 0xfffd;
    c = c << 6 | (byte(i) & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (c < kLeast[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0xfffd;
  at = i;
  return c;
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) out.push_back(decode_one(text, at));
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
  if (c < 0x10000) return put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
}

bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0d && c != 0x0b && c != 0x0c) || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_control(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c < 0x20 || c == 0x7f || c == 0xfffd || in(kControls, c);
}

bool is_mark(char32_t c) { return (c >= 0x300 && c < 0x370) || in(kMarks, c); }

bool is_punctuation(char32_t c) {
  if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  return in(kPunctuation, c);
}

bool is_cjk(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

void append_folded(std::u32string& out, char32_t c, Folding how) {
  std::u32string plain;
  if (how.strip && c >= 0x80) append_bare(plain, c);
  else plain.push_back(c);
  if (!how.lower) { out += plain; return; }
  for (const char32_t p : plain) append_lower(out, p);
}

}  // namespace dyad::encode
