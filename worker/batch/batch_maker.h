#pragma once
// Turns samples (history, target, seed) into a Batch: unique row keys, and everything else as indices into them.
// Intuition: a stamp per item and per trie node says whether this batch already holds it, so that finding the unique
// keys costs no hashing; a parent's children are contiguous in the trie, so whole blocks are stamped at once. Knows no
// dataset. Threads: one owner (it keeps scratch arrays). Ownership: borrows the tries.
#include <array>
#include <span>
#include "common/data/trie.h"
#include "worker/batch/batch.h"

namespace dyad::worker {

struct BatchOptions {
  std::size_t history_max = 20;
  bool transfer = true;                      // make the draws of the transfer task (STT)
  double mask_rate = 0.5, replace_rate = 0.5;
  std::size_t negatives = 0;                 // sampled codes a masked level is contrasted with; 0: its siblings
  double history_dropout = 0;                // probability that an item of a history is left out; one always stays
};

struct SampleView {
  std::span<const ItemId> history;           // oldest first, 1..history_max items
  ItemId target;
  std::uint64_t seed = 0;
};

class BatchMaker {
 public:
  // tries: behaviour, semantic; of equal levels and items. REQUIRES: they outlive this.
  BatchMaker(std::array<const data::Trie*, 2> tries, const BatchOptions& options);
  // Fills size, length, levels, keys, history, target, seeds, streams and transfer; the caller sets the rest.
  Batch make(std::span<const SampleView> samples);
  // How many codes of a path are masked (or replaced): max(1, round(rate * levels)).
  static std::size_t count_of(double rate, std::size_t levels);

 private:
  struct Stamps { std::vector<std::uint32_t> stamp; std::vector<std::int32_t> slot; };
  std::vector<std::span<const ItemId>> kept_histories(std::span<const SampleView> samples);
  void fill_history(std::span<const SampleView> samples, Batch& batch);
  void draw_transfer(std::span<const SampleView> samples, Batch& batch);
  NodeId other_node(std::size_t level, NodeId node, class KeyedDraws& draws) const;
  void fill_stream(std::span<const SampleView> samples, int s, Batch& batch);
  void collect_nodes(std::span<const SampleView> samples, int s, Batch& batch);
  static void name_rows(const data::Trie& trie, StreamBatch& stream);

  std::array<const data::Trie*, 2> tries_;
  BatchOptions options_;
  std::uint32_t now_ = 0;                    // the stamp of this batch
  Stamps items_;
  std::array<Stamps, 2> nodes_;
  std::vector<std::uint32_t> level_begin_;  // behaviour trie: nodes of level i are [level_begin_[i], level_begin_[i+1])
  std::vector<ItemId> kept_;                 // histories without the items that were left out, one after another
  std::vector<NodeId> drawn_;                // replacements, then negatives, as nodes
};

}  // namespace dyad::worker
