#pragma once
// The model's side of decoding: the encoder once per user, then one new token at a time for many beams at once, with
// cached keys and values. Full tables of rows, no gradients. Knows no beams and no ranking.
// Threads: one owner. Ownership: borrows the model, whose weights must not change while this lives.
#include <array>
#include <span>
#include <vector>
#include "common/data/trie.h"
#include "worker/model/eager.h"

namespace dyad::worker {

struct RowTables {                           // every row of a checkpoint, fp32, contiguous, on the model's device
  at::Tensor item;                           // [items, d]
  std::array<at::Tensor, 2> code;            // [nodes, d]: row of a trie node; that of the root is never read
};

struct UserMemory {                          // of a batch of users
  std::vector<at::Tensor> layer;  // [2 * layers] of [tokens, 2d]: keys | values of stream s, layer i at s * layers + i
  AttentionRows tokens;                      // group = user
};

struct Token {                               // one beam's next input
  std::uint32_t user = 0;                    // ascending within a call of step()
  NodeId node{0};                            // the root stands for SOS
  std::int32_t parent = -1;  // the row, in the order of all steps so far, of the token before it; -1: none
};

// The decoder state of one stream for a batch of users: every token that was fed, in order.
struct StreamCache {
  std::vector<at::Tensor> layer;             // [layers] of [tokens so far, 2d]
  std::vector<std::int32_t> parent;          // of each token so far
  std::vector<std::int32_t> depth;           // tokens before it on its path
};

class Decoder {
 public:
  Decoder(Eager& model, const RowTables& rows, std::array<const data::Trie*, 2> tries);
  UserMemory encode(std::span<const std::vector<ItemId>> histories) const;   // each 1 item or more; the last ones count
  // Feeds the tokens; their rows in the cache are numbered on from those before. -> [tokens, d]
  at::Tensor step(int stream, std::span<const Token> tokens, const UserMemory& memory, StreamCache& cache) const;
  // log p of each child of tokens[i].node given its hidden state, token after token, in the order of the nodes: CPU,
  // fp32.
  at::Tensor child_log_p(int stream, std::span<const Token> tokens, const at::Tensor& hidden) const;
  const data::Trie& trie(int stream) const { return *tries_[stream]; }

 private:
  Pass pass() const;
  AttentionShape self_shape(std::span<const Token> tokens, StreamCache& cache) const;
  AttentionShape cross_shape(std::span<const Token> tokens, const UserMemory& memory) const;
  Eager& model_;
  RowTables rows_;
  std::array<const data::Trie*, 2> tries_;
};

}  // namespace dyad::worker
