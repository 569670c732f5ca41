// vocab.txt and a text (tools/prepare/encode/wordpiece.h): | vocab.txt | text |.
#include "tools/prepare/encode/wordpiece.h"
#include <algorithm>
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  const std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nstar\n##s\nwar\n##e\n,\n\xe5\xad\x97\ncafe\n";
  return {join({vocabulary, "Star Wars, Caf\xc3\xa9 \xe5\xad\x97 stare"}), join({vocabulary, ""}),
          join({"[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]", "\xed\x95\x9c"})};
}

void decode(std::string_view bytes) {
  const std::vector<std::string> parts = split(bytes, 2);
  const auto opened = encode::WordPiece::open(put("vocab.txt", parts[0]));
  if (!opened) return;
  const auto lines = static_cast<std::int32_t>(std::ranges::count(parts[0], '\n')) + 1;
  for (const std::size_t most : {2, 5, 1000}) {
    const std::vector<std::int32_t> ids = opened.value().encode(parts[1], most);
    CHECK(ids.size() >= 2 && ids.size() <= most);
    CHECK(std::ranges::all_of(ids, [&](std::int32_t id) { return id >= 0 && id < lines; }));
  }
}

}  // namespace dyad::fuzz
