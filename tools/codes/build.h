#pragma once
// `dyad codes build`: vectors/<stream>.safetensors -> codes/<stream>.safetensors.
// "codes" int32 [items, levels]; metadata: format "dyad-codes-1", k, seed, pca, rounds, vectors (digest64 of the
// embedding's bytes, hexadecimal), so that a reader can tell whether codes and vectors belong together.
// Threads: options.threads of its own.
#include <cstdint>
#include <filesystem>
#include <functional>
#include "common/base/result.h"
#include "tools/codes/matrix.h"
#include "tools/codes/streams.h"

namespace dyad::codes {

struct Embedding {
  Matrix rows;                                     // [items, width]
  std::uint64_t digest = 0;                        // of its bytes
};
// Fails with kNotFound, saying which command makes them, if there are no vectors; kInvalid naming file and item if a
// value is not finite.
Result<Embedding> load_embedding(const std::filesystem::path& data, Stream stream);

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
};

// Fails as load_embedding() does, and with kInvalid if `items` (0: not checked) differs from the rows of the vectors
// or an option is out of range.
Result<BuildFacts> build_codes(const std::filesystem::path& data, Stream stream, std::size_t items,
                               const BuildOptions& options);

}  // namespace dyad::codes
