#pragma once
// EAGER (Wang et al., KDD 2024): a shared history encoder, two causal decoders over the codes of an item (behaviour and
// semantic), the global contrastive task and the semantic-guided transfer task.
//   L = L_gen + lambda1 L_con + lambda2 (L_recon + L_recog)
// The rows of items and codes come from outside (pulled); the dense weights live here.
// Threads: one owner. A second forward before backward of the first is not supported.
#include <array>
#include <string>
#include <vector>
#include "common/config/config.h"
#include "worker/batch/batch.h"
#include "worker/model/batch_tensors.h"
#include "worker/model/layer.h"
#include "worker/model/transfer.h"

namespace dyad::worker {

struct ModelOptions {
  config::Model model;
  std::int64_t levels = 2;                       // L of the tries
  std::array<std::int64_t, 2> vector_width{};    // of E^b and E^s; only with model.gct
  std::uint64_t seed = 1;                        // of the initial weights
  at::ScalarType type = at::kFloat;              // of activations and products: kFloat or kBFloat16
  at::Device device = at::kCPU;
  bool kernels = true;                           // the hand-written CPU kernels; ignored elsewhere
};

// The rows that a batch names, in the order of its keys: fp32, contiguous leaves that require gradients.
struct RowTensors {
  at::Tensor item;                               // [item_keys, d]
  std::array<at::Tensor, 2> code;                // [stream[s].keys, d]
};

// Every number is a sum over this rank's samples divided by Batch::global_size, so that the sum over ranks of losses
// and of gradients is the mean over the global batch.
struct Losses {
  at::Tensor total;                              // scalar; call backward() on it
  at::Tensor parts;  // fp32 [2L + 3], detached: behaviour levels, semantic levels, con, recon, recog
};
std::vector<std::string> loss_names(std::int64_t levels);   // "gen.behaviour.1" ..., beside Losses::parts

// What L_con compares with: raw vectors [V, w] fp32 -> centred, unit length, times sqrt(w). In place: the vectors are
// gone, a second copy of them would be 5 GB a stream at 10M items of 128.
at::Tensor contrast_targets(at::Tensor vectors);

class Eager {
 public:
  // targets: contrast_targets of each stream [V, vector_width]; undefined tensors if model.gct is off, or if nobody
  // will ask for losses.
  Eager(const ModelOptions& options, std::array<at::Tensor, 2> targets);

  // Training pass. dropout_seed: a function of (job seed, step, rank); nothing random is kept between passes.
  Losses forward(const Batch& batch, const RowTensors& rows, std::uint64_t dropout_seed);
  // Without dropout: validation loss, tests.
  Losses evaluate(const Batch& batch, const RowTensors& rows);

  const std::vector<NamedParameter>& parameters() const { return parameters_.named(); }
  const ModelOptions& options() const { return options_; }
  void use_double_for_test();                    // weights and targets become fp64, for finite differences

 private:
  friend class Decoder;                          // worker/decode: the same weights, one token at a time
  struct Stream {
    Parameter *special = nullptr, *position = nullptr, *project_w = nullptr, *project_b = nullptr;   // SOS, EOS
    std::vector<Layer> layers;
    bool summary = false;                        // somebody reads the EOS token
  };
  struct Memory { at::Tensor kv; AttentionRows rows; };        // [N, streams * layers * 2d] and its groups
  void make_stream(int s);
  Losses run(const Batch& batch, const RowTensors& rows, Pass pass);
  at::Tensor encode(Pass& pass, const at::Tensor& rows, const BatchTensors& t) const;
  // -> [slots B, d] (the last layer leaves out y_L): row slot * B + sample
  at::Tensor decode(Pass& pass, int s, const BatchTensors& t, const at::Tensor& rows,
                    const std::vector<at::Tensor>& memory) const;
  at::Tensor contrast(Pass& pass, int s, const at::Tensor& summary, const at::Tensor& target) const;

  ModelOptions options_;
  LayerShape shape_;
  std::array<at::Tensor, 2> targets_;
  Parameters parameters_;
  Parameter *position_ = nullptr, *norm_w_ = nullptr, *norm_b_ = nullptr, *memory_w_ = nullptr, *memory_b_ = nullptr;
  std::vector<Layer> encoder_;
  std::array<Stream, 2> stream_;
  Transfer transfer_;
};

}  // namespace dyad::worker
