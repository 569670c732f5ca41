#pragma once
// `dyad synth`: a dataset folder made of nothing but options. Events are streamed to the log: memory grows with users
// (13 bytes each, and their keys at the end) and items, not with events.
#include <cstdint>
#include <filesystem>
#include "common/base/result.h"

namespace dyad::synth {

struct Options {
  std::filesystem::path out;
  std::uint64_t users = 1000, items = 1000, events = 20'000, seed = 1;
  double drift = 0.05;                   // chance per event that a user's interest moves to another cluster
  double zipf = 1.0;                     // the r-th most popular item of a cluster is drawn with weight 1 / r^zipf
  std::uint32_t clusters = 0;            // 0: one per 50 items
  std::uint32_t vectors = 0;             // width of vectors/semantic.safetensors; 0: none
  std::uint32_t partitions = 8;
  bool force = false;
};
struct Report {
  std::uint64_t users = 0, items = 0, events = 0, clusters = 0;
  double seconds = 0;
};
// Fails with kInvalid for options that make no sense, or when the folder exists and force is not set.
Result<Report> run(const Options& options);

}  // namespace dyad::synth
