#pragma once
// `dyad codes build`: vectors/<stream>.safetensors -> codes/<stream>.safetensors.
// "codes" int32 [items, levels], sealed (common/data/item_files.h); metadata: k, seed, pca, rounds, vectors (digest64
// of the embedding's bytes, hexadecimal), so that a reader can tell whether codes and vectors belong together.
// Threads: options.threads of its own.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "tools/prepare/codes/matrix.h"
#include "tools/prepare/codes/streams.h"

namespace dyad::codes {

struct Embedding {
  Matrix rows;                                     // [items, width]
  std::uint64_t digest = 0;                        // of its bytes
  std::vector<ItemId> zeros;                       // items whose vector is all zeros: nothing is known of them
};
// Fails as data::ItemVectors::open() does; kInvalid naming file and item if a value is not finite.
Result<Embedding> load_embedding(const data::Dataset& dataset, Stream stream);

// "3 of 40 items have a vector of zeros (B01, B07, B11): ...", for people.
std::string zeros_text(const data::Dataset& dataset, const std::vector<ItemId>& zeros);

struct BuildOptions {
  std::uint32_t k = 256;
  std::uint64_t seed = 1;
  int rounds = 20;
  // Columns kept before clustering, 0: all. Text vectors of 768: 192 and all give the same within-cluster cosine
  // (.424, .423 on Beauty), 96 less (.421) and fewer next items in the same cluster (8.5 % against 9.2 %); 192 costs a
  // quarter of 768.
  std::uint32_t pca = 192;
  unsigned threads = 1;
  std::function<void(std::size_t done, std::size_t clusters)> progress;
};
struct BuildFacts {
  std::size_t items = 0, width = 0, levels = 0;
  double seconds = 0;
  std::vector<ItemId> zeros;                       // as in Embedding: their codes are drawn by lot
  bool replaced = false;                           // other codes were there before
};

// Fails as load_embedding() does, and with kInvalid if an option is out of range.
Result<BuildFacts> build_codes(const data::Dataset& dataset, Stream stream, const BuildOptions& options);

}  // namespace dyad::codes
