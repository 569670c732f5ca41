// Interactions, an object a line, and what is known of items (tools/prepare/import/formats.h): | events | items |.
#include "tests/fuzz/import_with.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  return {join({"{\"user\": \"a\", \"item\": 7, \"time\": 1700000000}\n{\"user\":\"b\",\"item\":\"x\"}\n"
                "{\"item\":-1,\"user\":\"a\",\"time\":1.5e3,\"more\":[1,{\"user\":2}],\"n\":null}\n",
                "{\"key\":\"x\",\"title\":\"t\",\"categories\":[[\"a\"]]}\n"}),
          join({"{\"user\":18446744073709551616,\"item\":true}\n", ""})};
}

void decode(std::string_view bytes) {
  const std::vector<std::string> parts = split(bytes, 2);
  import_with("jsonl", importer::read_jsonl, {put("events.jsonl", parts[0])}, put("items.jsonl", parts[1]));
}

}  // namespace dyad::fuzz
