// Run under mpirun with any number of ranks; exits 1 with a message when a collective is wrong. With the word `late`
// and two ranks: rank 1 comes late to a sum that rank 0 has given up, whose memory must still be there.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>
#include <malloc.h>
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

// Gives up every wait of `all` from now on, once it has lasted for so long.
void give_up_after(dyad::comm::Collective& all, int ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  all.set_give_up([end]() -> dyad::Status {
    if (std::chrono::steady_clock::now() < end) return dyad::ok();
    return dyad::fail(dyad::Code::kStale, "given up");
  });
}

int check_late(dyad::comm::Collective& all) {
  constexpr std::size_t kFloats = 8'000'000;                       // beyond any threshold of malloc: counted by itself
  auto& mine = *new std::vector<float>(kFloats, 1.0f);             // the owner keeps it, as collective.h asks
  const bool is_late = all.rank().value == 1;
  if (is_late) std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  give_up_after(all, 200);
  const auto before = mallinfo2().hblkhd;
  all.start_sum(mine);
  if (all.wait() && !is_late) return wrong("a sum that nobody else joined");
  if (!is_late && mallinfo2().hblkhd < before + kFloats * sizeof(float)) return wrong("memory given back under MPI");
  if (!is_late) std::puts("kept");
  std::fflush(stdout);
  std::this_thread::sleep_for(std::chrono::milliseconds(is_late ? 2000 : 1500));   // rank 1 has come by then
  all.abort(0);
  return 1;                                                        // not reached
}

}  // namespace

int main(int argc, char** argv) {
  auto all = dyad::comm::make_mpi(&argc, &argv);
  if (!all) { std::fprintf(stderr, "comm_check: %s\n", all.error().message.c_str()); return 1; }
  if (static_cast<int>(all.value()->size()) != dyad::comm::launched_size()) return wrong("the number of ranks");
  if (argc > 1 && std::string_view(argv[1]) == "late") return check_late(*all.value());
  return check(*all.value());
}
