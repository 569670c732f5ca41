#include "ops/ui/code_tree.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include "common/data/item_files.h"

namespace dyad::ops {

using nlohmann::json;

namespace {

// Children have larger numbers than their parent: one pass from the end.
std::vector<std::uint32_t> items_below(const data::Trie& trie) {
  std::vector<std::uint32_t> out(trie.nodes());
  for (std::size_t n = trie.nodes(); n-- > 0;) {
    const NodeId node{static_cast<std::uint32_t>(n)};
    if (trie.is_leaf(node)) out[n] = 1;
    if (n > 0) out[trie.parent(node).value] += out[n];
  }
  return out;
}

// "12.3": which child at each level; the root's is empty.
std::string code_of(const data::Trie& trie, NodeId node) {
  std::string out;
  while (node.value != 0) {
    const NodeId parent = trie.parent(node);
    out = fmt::format("{}{}{}", node.value - trie.child_begin(parent).value, out.empty() ? "" : ".", out);
    node = parent;
  }
  return out;
}

// The item that lies at `part` of a node's children, of theirs, and so on; part 0 is the first, 1 the last.
ItemId item_at(const data::Trie& trie, NodeId node, double part) {
  while (!trie.is_leaf(node)) {
    const std::uint32_t begin = trie.child_begin(node).value, n = trie.child_end(node).value - begin;
    node = NodeId{begin + std::min(n - 1, static_cast<std::uint32_t>(part * n))};
  }
  return trie.item(node);
}

}  // namespace

Result<CodeTrees> CodeTrees::open(const std::filesystem::path& data) {
  CodeTrees out;
  DYAD_TRY(dataset, data::Dataset::open(data));
  out.dataset_ = std::move(dataset);
  for (std::size_t s = 0; s < 2; ++s) {
    DYAD_TRY(codes, data::open_codes(out.dataset_, data::kStreams[s]));
    out.trees_[s] = {std::move(codes.trie), {}};
    out.trees_[s].items = items_below(out.trees_[s].trie);
  }
  return out;
}

json CodeTrees::child(const Tree& tree, NodeId node, const std::string& code) const {
  const auto title = [&](ItemId id) {
    const auto& item = dataset_.item(id);
    return item.title.empty() ? item.key : item.title;
  };
  if (tree.trie.is_leaf(node)) {
    const ItemId item = tree.trie.item(node);
    return {{"code", code}, {"id", dataset_.item(item).key}, {"title", title(item)}};
  }
  json out{{"node", node.value}, {"code", code}, {"items", tree.items[node.value]}, {"titles", json::array()}};
  std::vector<ItemId> shown;
  for (const double part : {0.0, 0.5, 1.0})
    if (const ItemId item = item_at(tree.trie, node, part); std::ranges::find(shown, item) == shown.end())
      shown.push_back(item), out["titles"].push_back(title(item));
  return out;
}

Result<json> CodeTrees::children(const std::string& stream, std::uint64_t node, std::uint64_t from) const {
  const auto at = std::ranges::find(data::kStreams, stream);
  if (at == std::end(data::kStreams)) return fail(Code::kNotFound, "no stream \"{}\"", stream);
  const Tree& tree = trees_[static_cast<std::size_t>(at - std::begin(data::kStreams))];
  const data::Trie& trie = tree.trie;
  if (node >= trie.nodes()) return fail(Code::kNotFound, "the {} tree has {} nodes, no {}", stream, trie.nodes(), node);
  const NodeId parent{static_cast<std::uint32_t>(node)};
  const bool leaf = trie.is_leaf(parent);
  const std::uint64_t begin = leaf ? 0 : trie.child_begin(parent).value;
  const std::uint64_t count = leaf ? 0 : trie.child_end(parent).value - begin;
  if (from >= count) return fail(Code::kNotFound, "node {} of the {} tree has {} children", node, stream, count);
  const std::string code = code_of(trie, parent), dot = code.empty() ? "" : ".";
  json out{{"node", node}, {"code", code}, {"items", tree.items[node]}, {"of", count}, {"from", from}};
  for (std::uint64_t i = from; i < std::min<std::uint64_t>(count, from + kChildrenMax); ++i)
    out["children"].push_back(
        child(tree, NodeId{static_cast<std::uint32_t>(begin + i)}, fmt::format("{}{}{}", code, dot, i)));
  return out;
}

}  // namespace dyad::ops
