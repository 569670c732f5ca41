#pragma once
// What dyad-bench-ps asks of every store that it times: whole batches of rows by key, one request at a time a client.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>
#include "common/base/ids.h"

namespace dyad::bench {

inline constexpr int kTables = 3;                              // as EAGER has

struct StoreOptions {
  std::uint32_t servers = 1, workers = 1, threads = 1, dim = 128;
  std::string wire = "fp32", optimizer = "sgd";
  std::uint64_t key_end = 0;                                   // of each table
  std::size_t value_bytes() const { return wire == "fp16" ? 2 : 4; }
};

// The keys of one step, ascending, each once.
struct Batch {
  std::array<std::vector<RowKey>, kTables> keys;
  std::size_t rows() const {
    std::size_t n = 0;
    for (const auto& k : keys) n += k.size();
    return n;
  }
};

class Client {
 public:
  virtual ~Client() = default;
  virtual void pull(const Batch& batch) = 0;                   // until the rows are there
  virtual void push(const Batch& batch) = 0;                   // until it is acknowledged
};

}  // namespace dyad::bench
