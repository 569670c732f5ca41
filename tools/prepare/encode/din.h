#pragma once
// The behaviour encoder: DIN (Zhou et al., KDD 2018, "Deep Interest Network"), trained to tell a user's next item from
// sampled ones; its item embeddings are the behaviour vectors E^b of EAGER.
//   weight of history item h for a candidate t (DIN eq. 3):  a(h, t) = MLP([h, t, h * t, h - t]) + age(h), PReLU
//     inside, not normalised over the history;  age: a learnt number for each distance from the end
//   user towards t: u(t) = sum a(h, t) h;  score(u, t) = scale * u(t) . t + bias(t), rows of unit length
//   loss: sampled softmax over the target and N items shared by the batch, drawn from Q = half popularity, half
//     uniform, every score less log Q (logQ correction), items equal to the target masked out
// Adam touches only the rows of the batch. Deterministic: a pure function of histories and options, whatever the
// number of threads.
// Threads: `threads` of its own (din_attention.h); LibTorch's number of them is one while it runs.
#include <cstdint>
#include <functional>
#include "common/base/result.h"
#include "tools/prepare/encode/histories.h"

namespace dyad::encode {

struct DinOptions {
  std::size_t dim = 128, hidden = 8, history = 20, batch = 256, negatives = 128;
  int epochs = 3;
  double lr = 1e-3, row_lr = 3e-3, scale = 6, dropout = 0.5;   // dropout: of the history's rows
  bool cooccurrence_init = true;       // start the rows from cooccurrence.h; false: normal(0, 1)
  std::uint64_t seed = 1;
  unsigned threads = 1;
};
struct DinEpoch {
  int epoch = 0;                       // 0: before training
  double loss = 0, recall = 0, seconds = 0;   // recall: neighbour_recall at 50
};

// The item rows [items, dim] of the epoch with the best recall, before training counted in; the latest of several.
// Later epochs may make them worse (Amazon Toys: .1786 before training, .1816, .1790, .1788). Fails with kInvalid if an
// option is out of range or nothing is there to train on, kFailed if the loss stops being finite.
struct DinVectors {
  io::Matrix rows;
  DinEpoch kept;
};
Result<DinVectors> train_din(const Histories& histories, const DinOptions& options,
                             const std::function<void(const DinEpoch&)>& on_epoch,
                             const std::function<void(std::size_t, std::size_t)>& on_batch = {});

}  // namespace dyad::encode
