// codes/<stream>.safetensors as a trie (common/data/trie.h).
#include "common/data/trie.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  const std::vector<std::int32_t> codes{0, 0, 1, 0, 1, 0, 0, 1, 1, 2, 0, 7};
  std::vector<std::string> out;
  for (const std::size_t levels : {1, 2, 3, 4}) {
    const std::filesystem::path file = folder() / "seed";
    const auto tensor = io::make_tensor<std::int32_t>({codes.size() / levels, levels}, codes);
    CHECK(io::write_safetensors(file, {{"codes", tensor}}, {{"format", "dyad-codes-1"}, {"k", "8"}}).has_value());
    out.push_back(bytes_of(file));
  }
  return out;
}

void decode(std::string_view bytes) {
  const auto file = io::Safetensors::open(put("codes.safetensors", bytes));
  if (!file) return;
  const auto loaded = data::Trie::read(file.value());
  if (!loaded) return;
  const data::Trie& trie = loaded.value();
  CHECK_LE(trie.nodes(), trie.items() * trie.levels() + 1);
  for (std::uint32_t i = 0; i < trie.items(); ++i) {
    NodeId node{0};
    for (const NodeId next : trie.path(ItemId{i})) {
      CHECK(trie.parent(next) == node && trie.child_begin(node) <= next && next < trie.child_end(node));
      node = next;
    }
    CHECK(trie.is_leaf(node) && trie.item(node) == ItemId{i});
  }
}

}  // namespace dyad::fuzz
