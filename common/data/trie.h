#pragma once
// The codes of one stream as a trie in CSR form. A node is a prefix y1..yi; its children are the codes that exist under
// it; a leaf is one item. Nodes are numbered breadth first, so children of a node are contiguous and ascending:
//   node 0 = root;  children of n = [child_begin(n), child_begin(n+1)) as node numbers
// The parameter row of code y_i is the row of its node (path-dependent, design page). A node's number moves when the
// catalogue grows, its row must not: RowKeys count the nodes in the order in which the items bring them, item 0 first
// and from the root down, beginning with 1. So items appended to a catalogue bring keys beyond all that there were, and
// move none. The root has no row; its key 0 names none.
// Every leaf lies at depth levels(); a node may have one child. Threads: immutable.
#include <cstdint>
#include <span>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"

namespace dyad::io { class Safetensors; }
namespace dyad::data {

// The decoder's masks have a bit a level (and two more); 30 levels of two children are a billion items.
inline constexpr std::size_t kLevelsMax = 30;

class Trie {
 public:
  // codes [items, levels], row-major: the path of each item, codes below `k`. Fails with kInvalid, naming the item, if
  // two share a path or a code is out of range, and if the levels are none or more than kLevelsMax.
  static Result<Trie> build(std::span<const std::int32_t> codes, std::size_t levels, std::int32_t k = INT32_MAX);
  // Reads "codes", int32 or int64, of a .safetensors file (see dataset.h); k is that of its metadata, where it has one.
  static Result<Trie> read(const io::Safetensors& file);

  std::size_t levels() const { return levels_; }
  std::size_t items() const { return leaf_.size(); }
  std::size_t nodes() const { return child_begin_.size() - 1; }                 // the root counted
  NodeId child_begin(NodeId node) const { return NodeId{child_begin_[node.value]}; }
  NodeId child_end(NodeId node) const { return NodeId{child_begin_[node.value + 1]}; }
  NodeId parent(NodeId node) const { return NodeId{parent_[node.value]}; }      // REQUIRES node != root
  // The nodes y1..yl of an item's path (the root left out), levels() of them.
  std::span<const NodeId> path(ItemId item) const { return {path_.data() + item.value * levels_, levels_}; }
  bool is_leaf(NodeId node) const { return node.value >= first_leaf_; }
  ItemId item(NodeId leaf) const { return ItemId{item_[leaf.value - first_leaf_]}; }   // REQUIRES is_leaf(leaf)
  RowKey key(NodeId node) const { return RowKey{key_[node.value]}; }
  NodeId node(RowKey key) const { return NodeId{node_[key.value]}; }            // REQUIRES key < nodes()
  std::uint64_t digest() const { return digest_; }

 private:
  void number_rows();
  std::size_t levels_ = 0;
  std::uint32_t first_leaf_ = 0;
  std::vector<std::uint32_t> child_begin_, parent_, item_;
  std::vector<std::uint32_t> leaf_;                                             // item -> its leaf
  std::vector<NodeId> path_;                                                    // [items, levels]
  std::vector<std::uint32_t> key_, node_;                                       // [nodes] each the other's inverse
  std::uint64_t digest_ = 0;
};

}  // namespace dyad::data
