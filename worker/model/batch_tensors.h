#pragma once
// A Batch as index tensors on the model's device: tokens of all histories packed end to end (no padding is computed),
// and the decoders' tokens slot by slot. Shapes: B samples, N = tokens of all histories, L levels. Slots of a decoder:
// SOS, y_1 .. y_{L-1}, EOS, y_L. Row of (slot, sample) = slot * B + sample, so "every slot but the last", all that the
// last layer must answer for, is the first (L + 1) B rows.
#include <torch/torch.h>
#include <array>
#include "worker/batch/batch.h"
#include "worker/model/ops.h"

namespace dyad::worker {

struct StreamTensors {
  at::Tensor token;                          // int32 [S B]: row of code, or -1 SOS, -2 EOS
  std::vector<ops::Children> level;          // [L] of [B]
};
struct TransferTensors {                     // sequences: B masked, B real, B replaced; slots CLS, y_1 .. y_L
  at::Tensor token;                          // int32 [(L+1) 3B]: row of code, or -1 CLS, -2 MASK
  at::Tensor position;                       // int32 beside it
  at::Tensor query;  // int64 [mB + 2B]: rows that are read: masked slots, then CLS of real, of replaced
  at::Tensor query_sample;                   // int64 beside it: the sample
  at::Tensor query_begin, query_size;        // int32 [3B]: each sequence's part of `query`
  ops::Children masked;                      // [mB]: the block that each masked level is contrasted with
  at::Tensor negative;                       // int64 [mB, 1 + n]: the right row, then the sampled; undefined if n = 0
};
struct BatchTensors {
  at::Tensor token, position;                // int32 [N]: item row; place counted from the most recent item (0)
  at::Tensor begin, size;                    // int32 [B]: each history's tokens
  std::int64_t longest = 0;
  at::Tensor slot_position;                  // int32 [S B]: place in SOS, y_1 .. y_L, EOS
  std::array<StreamTensors, 2> stream;
  TransferTensors transfer;
  at::Tensor target;                         // int64 [B]
};

// summary: the EOS slot and y_L are needed (GCT or STT); else a decoder has the slots SOS .. y_{L-1} only.
BatchTensors make_tensors(const Batch& batch, std::array<bool, 2> summary, at::Device device);
std::int64_t decoder_slots(std::int64_t levels, bool summary);
// Which keys each slot sees: those at its own place or before.
std::vector<std::uint32_t> causal_slots(std::int64_t levels, bool summary);

}  // namespace dyad::worker
