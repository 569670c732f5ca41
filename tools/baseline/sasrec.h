#pragma once
// SASRec (Kang & McAuley, ICDM 2018) with full-softmax cross-entropy: item rows + positions, causal self-attention, the
// next item scored by the product with its row, every position of every training sequence trained. Sequences longer
// than `history` are cut into pieces. The epoch with the best validation NDCG@10 is the result; test is looked at once.
// Threads: LibTorch's, `threads` of them. Deterministic for a seed and a number of threads.
#include <cstdint>
#include <functional>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "tools/baseline/ranking.h"

namespace dyad::baseline {

struct SasRecOptions {
  std::int64_t dim = 64, heads = 2, layers = 2, history = 50, batch = 128;   // batch: sequences a step
  int epochs = 40, patience = 5;         // patience: epochs without a better validation before it stops
  double dropout = 0.3, lr = 1e-3;
  double seconds_max = 0;                // 0: none; otherwise no epoch starts after so many seconds
  std::uint64_t seed = 1;
  unsigned threads = 1;
};
struct SasRecEpoch {
  int epoch = 0;                         // from 1
  double loss = 0, seconds = 0;          // loss: mean of a position
  Ranking validation;
};
struct SasRecResult {
  int best_epoch = 0;
  Ranking validation, test;              // of the best epoch
};

// Fails with kInvalid if an option is out of range or nothing is there to train on, kFailed if LibTorch fails.
Result<SasRecResult> run_sasrec(const data::Dataset& dataset, const SasRecOptions& options,
                                const std::function<void(const SasRecEpoch&)>& on_epoch = {},
                                const std::function<void(std::size_t, std::size_t)>& on_batch = {});

}  // namespace dyad::baseline
