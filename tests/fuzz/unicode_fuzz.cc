// UTF-8 as the tokenizer reads it (tools/prepare/encode/unicode.h), against what is let in (common/base/utf8.h).
#include "tools/prepare/encode/unicode.h"
#include "common/base/utf8.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  return {"Caf\xc3\xa9 \xe5\xad\x97 \xed\x95\x9c \xf0\x9f\x8e\xac", "\xff\xed\xa0\x80"};
}

void decode(std::string_view bytes) {
  const std::u32string text = encode::decode_utf8(bytes);
  std::string again;
  for (const char32_t c : text) encode::append_utf8(again, c);
  CHECK(encode::decode_utf8(again) == text);
  CHECK_EQ(again == bytes, utf8_prefix(bytes) == bytes.size());
}

}  // namespace dyad::fuzz
