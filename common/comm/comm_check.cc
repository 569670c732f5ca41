// Run under mpirun with any number of ranks; exits 1 with a message when a collective is wrong.
#include <cstdio>
#include <cstring>
#include <vector>
#include "common/base/random.h"
#include "common/comm/collective.h"

namespace {

using dyad::KeyedRandom;

std::vector<float> values_of(std::uint64_t rank, std::size_t n) {
  KeyedRandom random(11, rank);
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>(random.normal());
  return out;
}

// The sum a single process makes in rank order: equal to the bit, whatever MPI did.
std::vector<float> expected(std::uint32_t ranks, std::size_t n) {
  std::vector<float> sum = values_of(0, n);
  for (std::uint32_t r = 1; r < ranks; ++r) {
    const auto other = values_of(r, n);
    for (std::size_t i = 0; i < n; ++i) sum[i] += other[i];
  }
  return sum;
}

int wrong(const char* what) { std::fprintf(stderr, "comm_check: %s is wrong\n", what); return 1; }

int check(dyad::comm::Collective& all) {
  const auto rank = all.rank().value;
  const auto ranks = all.size();
  const std::vector<std::size_t> sizes{1, 2, 7, 1000, 300'001};
  std::vector<std::vector<float>> buckets;
  for (const auto n : sizes) buckets.push_back(values_of(rank, n));
  for (auto& bucket : buckets) all.start_sum(bucket);   // several in flight, as in a backward pass
  if (!all.wait()) return wrong("wait");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto want = expected(ranks, sizes[i]);
    if (std::memcmp(want.data(), buckets[i].data(), sizes[i] * sizeof(float)) != 0) return wrong("a sum in flight");
  }
  std::vector<double> sums{1.0, static_cast<double>(rank)};
  if (!all.sum(sums) || sums[0] != ranks || sums[1] != ranks * (ranks - 1) / 2.0) return wrong("a sum of doubles");
  std::uint64_t word = rank == 0 ? 42 : 0;
  if (!all.broadcast(std::as_writable_bytes(std::span(&word, 1))) || word != 42) return wrong("a broadcast");
  return all.barrier() ? 0 : wrong("a barrier");
}

}  // namespace

int main(int argc, char** argv) {
  auto all = dyad::comm::make_mpi(&argc, &argv);
  if (!all) { std::fprintf(stderr, "comm_check: %s\n", all.error().message.c_str()); return 1; }
  if (static_cast<int>(all.value()->size()) != dyad::comm::launched_size()) return wrong("the number of ranks");
  return check(*all.value());
}
