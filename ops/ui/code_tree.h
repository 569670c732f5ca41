#pragma once
// The code trees of a dataset, node by node: root -> codes -> ... -> items, as JSON for the page. A node's answer holds
// a bounded number of its children, so that a catalogue of millions is no page of millions. Threads: immutable.
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>
#include <nlohmann/json_fwd.hpp>
#include "common/data/dataset.h"
#include "common/data/trie.h"

namespace dyad::ops {

class CodeTrees {
 public:
  static constexpr std::size_t kChildrenMax = 300;                // of one answer

  static Result<CodeTrees> open(const std::filesystem::path& data);
  // Children `from`, `from` + 1 .. of a node of "behaviour" or "semantic":
  //   {"node": 0, "code": "", "items": 1200, "of": 64, "from": 0, "children": [..]}   of: how many children there are
  //   a child: {"node": 3, "code": "2", "items": 40, "titles": ["..", ..]}   titles: of a few of its items
  //   a leaf:  {"code": "2.7", "id": "i5", "title": ".."}
  // kNotFound: no such stream, node or child.
  Result<nlohmann::json> children(const std::string& stream, std::uint64_t node, std::uint64_t from) const;

 private:
  struct Tree {
    data::Trie trie;
    std::vector<std::uint32_t> items;                             // below each node
  };
  nlohmann::json child(const Tree& tree, NodeId node, const std::string& code) const;
  data::Dataset dataset_;
  std::array<Tree, 2> trees_;
};

}  // namespace dyad::ops
