// S3-Rec's folder (tools/prepare/import/formats.h): | sequences.txt | timestamps.txt | items.jsonl |; an empty part is
// no file.
#include "tests/fuzz/import_with.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  const std::string items = "{\"id\":1,\"key\":\"a\",\"title\":\"T &amp; t\"}\n"
                            "{\"id\":2,\"key\":\"b\",\"keywords\":\"k\"}\n"
                            "{\"id\":3,\"key\":\"c\",\"brand\":\"&quot;B\",\"categories\":[[\"x &lt;\"]]}\n";
  return {join({"1 1 2 3\n2 3\n", "1 10 20 30\n2 5\n", items}), join({"1 1 2 3\n2 3\n", "", items}),
          join({"1 1 2\n2 2 1\n", "", ""})};
}

void decode(std::string_view bytes) {
  const std::vector<std::string> parts = split(bytes, 3);
  std::filesystem::create_directories(folder() / "in");
  const char* names[] = {"in/sequences.txt", "in/timestamps.txt", "in/items.jsonl"};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::filesystem::remove(folder() / names[i]);
    if (i == 0 || !parts[i].empty()) put(names[i], parts[i]);
  }
  import_with("s3rec", importer::read_s3rec, {folder() / "in"});
}

}  // namespace dyad::fuzz
