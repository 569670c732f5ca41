#pragma once
// One rank's part of a global batch as plain arrays: which rows to pull, and the batch in indices into those rows.
// Knows no LibTorch and no network. Shapes: B samples, T = longest history here, L code levels.
#include <array>
#include <cstdint>
#include <vector>
#include "common/base/ids.h"

namespace dyad::worker {

struct StreamBatch {
  std::vector<NodeId> nodes;                 // whose rows to pull: ascending, each parent's children as one block
  std::vector<RowKey> keys;                  // their rows' keys, in the same order
  std::vector<std::uint32_t> by_key;         // indices into keys: the order in which those ascend
  std::vector<std::int32_t> code;            // [B, L] y_i as index into nodes
  std::vector<std::int32_t> child_begin;     // [B, L] the softmax of level i runs over nodes[child_begin, child_end):
  std::vector<std::int32_t> child_end;       // [B, L] the children that exist under y_1..y_{i-1}
};

// The random choices of the transfer task (STT), over the behaviour stream. Levels count from 0. Every draw is keyed by
// sample_seed and made over the whole trie, so that it is the same for any number of ranks; they are in nodes.
struct TransferBatch {
  std::size_t masked_count = 0;              // m = max(1, round(mask_rate L)); 0 when the task is off
  std::size_t replaced_count = 0;            // r = max(1, round(replace_rate L))
  std::size_t negative_count = 0;            // n; 0: contrast with all siblings
  std::vector<std::int32_t> masked;          // [B, m] levels, ascending
  std::vector<std::int32_t> replaced;        // [B, r] levels, ascending
  std::vector<std::int32_t> replacement;     // [B, r] index into stream[0].nodes: another node of the same level
  std::vector<std::int32_t> negative;        // [B, m, n] index into stream[0].nodes: other nodes of the masked level
};

struct Batch {
  Step step;
  std::uint64_t epoch = 0, index = 0;        // global batch `index` of `epoch`
  std::size_t size = 0, length = 0;          // B, T
  std::size_t levels = 0;                    // L
  std::size_t global_size = 0;               // samples of the global batch over all ranks: what losses are divided by
  std::vector<RowKey> item_keys;             // rows of table item, ascending, unique
  std::vector<std::int32_t> history;         // [B, T] index into item_keys, oldest first, right-aligned, -1 where empty
  std::vector<std::int32_t> history_size;    // [B]
  std::vector<ItemId> target;                // [B]
  std::vector<std::uint64_t> sample_seed;    // [B] mix of job seed, epoch and log position: keys every random choice
  std::array<StreamBatch, 2> stream;         // behaviour, semantic
  TransferBatch transfer;
  std::uint64_t checksum = 0;                // sum of data::sample_checksum
};

}  // namespace dyad::worker
