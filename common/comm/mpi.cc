// Collectives over Open MPI. A sum is an all-to-all of slices, an addition in rank order, and an all-gather: the volume
// of a ring all-reduce, with an order that is ours. A communication thread makes the calls, so that a sum runs while
// the caller goes on with the backward pass; it polls with short sleeps instead of spinning on a core the model needs.
#include "common/comm/collective.h"

#include <mpi.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <time.h>
#include <vector>
#include "common/base/log.h"

namespace dyad::comm {
namespace {

Status checked(int code, const char* what) {
  if (code == MPI_SUCCESS) return ok();
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return fail(Code::kDisconnected, "{}: {}; a worker of this job is gone, start the job again with --resume", what,
              text);
}

constexpr std::chrono::seconds kAbortMost{2};      // for the communication thread, and for MPI_Abort itself
constexpr std::chrono::seconds kMeetMost{120};     // for all ranks to come to MPI_Init and MPI_Finalize

// MPI's own waits for the other ranks, which can't be asked to give up: ends the process if one takes too long.
class Bounded {
 public:
  Bounded(const char* what, std::chrono::seconds most, int code)
      : thread_([what, most, code](std::stop_token over) {
          std::mutex mutex;
          std::unique_lock lock(mutex);
          std::condition_variable_any never;
          never.wait_for(lock, over, most, [] { return false; });
          if (over.stop_requested()) return;
          LOG_ERROR("{} took more than {} s: a rank of this job, or its mpirun, is frozen", what, most.count());
          std::_Exit(code);
        }) {}

 private:
  std::jthread thread_;
};

// A wait that is given up leaves its call pending: MPI, or the peer's side of it, may still write into the memory when
// the caller is long gone, so that is never given back. The process leaves soon.
void keep_for_ever(std::shared_ptr<const void> memory) {
  static auto& mutex = *new std::mutex;
  static auto& kept = *new std::vector<std::shared_ptr<const void>>;
  std::lock_guard lock(mutex);
  kept.push_back(std::move(memory));
}

// How a sum of `size` values is cut among the ranks: rank r owns the r-th slice of every vector.
template <class T> struct Slices {
  Slices(std::size_t size, std::size_t rank, std::size_t ranks)
      : counts(ranks), offsets(ranks), got_counts(ranks), got_offsets(ranks) {
    const std::size_t slice = (size + ranks - 1) / ranks;
    for (std::size_t r = 0; r < ranks; ++r) {
      const std::size_t begin = std::min(size, r * slice);
      counts[r] = static_cast<int>(std::min(slice, size - begin));
      offsets[r] = static_cast<int>(begin);
    }
    const int mine = counts[rank];
    for (std::size_t r = 0; r < ranks; ++r) {
      got_counts[r] = mine;
      got_offsets[r] = static_cast<int>(r) * mine;
    }
    got.resize(ranks * static_cast<std::size_t>(mine));
  }
  std::vector<int> counts, offsets, got_counts, got_offsets;
  std::vector<T> got;
};

class Mpi : public Collective {
 public:
  Mpi() {
    MPI_Comm_dup(MPI_COMM_WORLD, &world_);
    MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(world_, &rank_);
    MPI_Comm_size(world_, &size_);
    thread_ = std::thread([this] { serve(); });
  }
  ~Mpi() override {
    { std::lock_guard lock(mutex_); stop_ = true; }
    changed_.notify_all();
    thread_.join();
    const Bounded bounded("MPI_Finalize", kMeetMost, static_cast<int>(Code::kDisconnected));
    MPI_Comm_free(&world_);
    MPI_Finalize();
  }
  WorkerRank rank() const override { return WorkerRank(static_cast<std::uint32_t>(rank_)); }
  std::uint32_t size() const override { return static_cast<std::uint32_t>(size_); }
  bool on_device() const override { return false; }

  void start_sum(std::span<float> values) override {
    { std::lock_guard lock(mutex_); queue_.push_back(values); }
    changed_.notify_all();
  }
  Status wait() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queue_.empty() && !busy_; });
    return status_;
  }
  Status sum(std::span<double> values) override {
    DYAD_TRYV(wait());
    return in_our_memory(values, [this](std::span<double> ours) {
      return sum_in_rank_order<double>(ours, MPI_DOUBLE);
    });
  }
  Status broadcast(std::span<std::byte> bytes) override {
    DYAD_TRYV(wait());
    return in_our_memory(bytes, [this](std::span<std::byte> ours) -> Status {
      MPI_Request request;
      DYAD_TRYV(
          checked(MPI_Ibcast(ours.data(), static_cast<int>(ours.size()), MPI_BYTE, 0, world_, &request), "broadcast"));
      return wait_politely(request, "broadcast");
    });
  }
  Status barrier() override {
    DYAD_TRYV(wait());
    MPI_Request request;
    DYAD_TRYV(checked(MPI_Ibarrier(world_, &request), "barrier"));
    return wait_politely(request, "barrier");
  }
  void set_give_up(std::function<Status()> give_up) override { give_up_ = std::move(give_up); }
  // Neither inside MPI at the same time as the communication thread, nor for ever: its mpirun may be frozen too.
  [[noreturn]] void abort(int code) override {
    aborting_ = true;                                    // a wait of the communication thread ends within a nap
    std::unique_lock lock(mutex_);
    const bool is_idle = changed_.wait_for(lock, kAbortMost, [this] { return !busy_; });
    const Bounded bounded("MPI_Abort", kAbortMost, code);
    if (is_idle) MPI_Abort(world_, code);
    std::_Exit(code);
  }

 private:
  // For what is small and whose caller may be gone by the time that MPI is done with it.
  template <class T, class Call> static Status in_our_memory(std::span<T> values, Call&& call) {
    const auto ours = std::make_shared<std::vector<T>>(values.begin(), values.end());
    Status called = call(std::span<T>(*ours));
    if (called) std::copy(ours->begin(), ours->end(), values.begin());
    else keep_for_ever(ours);
    return called;
  }

  Status wait_politely(MPI_Request& request, const char* what) {
    int done = 0;
    for (long nap_ns = 20'000;; nap_ns = std::min(nap_ns * 2, 200'000L)) {
      DYAD_TRYV(checked(MPI_Test(&request, &done, MPI_STATUS_IGNORE), what));
      if (done) return ok();
      if (aborting_) return fail(Code::kFailed, "{}: this rank aborts", what);
      if (give_up_) { DYAD_TRYV(give_up_()); }
      const timespec nap{0, nap_ns};
      nanosleep(&nap, nullptr);
    }
  }

  void serve() {   // the communication thread
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const std::span<float> values = queue_.front();
      queue_.pop_front();
      busy_ = true;
      const bool healthy = status_.has_value();
      lock.unlock();
      Status status = healthy ? sum_in_rank_order<float>(values, MPI_FLOAT) : ok();
      lock.lock();
      busy_ = false;
      if (!status) status_ = std::move(status);
      changed_.notify_all();
    }
  }

  // A rank gets its slice from all, adds them in rank order, and gives it back.
  template <class T> Status sum_in_rank_order(std::span<T> values, MPI_Datatype type) {
    if (size_ == 1) return ok();
    const auto slices =
        std::make_shared<Slices<T>>(values.size(), static_cast<std::size_t>(rank_), static_cast<std::size_t>(size_));
    Status summed = sum_slices(values, type, *slices);
    if (!summed) keep_for_ever(slices);
    return summed;
  }

  template <class T> Status sum_slices(std::span<T> values, MPI_Datatype type, Slices<T>& s) {
    const auto mine = static_cast<std::size_t>(s.counts[static_cast<std::size_t>(rank_)]);
    MPI_Request request;
    DYAD_TRYV(checked(MPI_Ialltoallv(values.data(), s.counts.data(), s.offsets.data(), type, s.got.data(),
                                     s.got_counts.data(), s.got_offsets.data(), type, world_, &request),
                      "all-reduce, scatter"));
    DYAD_TRYV(wait_politely(request, "all-reduce, scatter"));
    T* const sum = s.got.data();
    for (std::size_t begin = mine; begin < s.got.size(); begin += mine) {
      const T* const from = sum + begin;
      for (std::size_t i = 0; i < mine; ++i) sum[i] += from[i];
    }
    DYAD_TRYV(checked(MPI_Iallgatherv(s.got.data(), static_cast<int>(mine), type, values.data(), s.counts.data(),
                                      s.offsets.data(), type, world_, &request),
                      "all-reduce, gather"));
    return wait_politely(request, "all-reduce, gather");
  }

  MPI_Comm world_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::span<float>> queue_;
  bool busy_ = false, stop_ = false;
  std::atomic<bool> aborting_{false};
  std::function<Status()> give_up_;
  Status status_ = ok();
  std::thread thread_;
};

int number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : -1;
}

}  // namespace

int launched_rank() { return number_in_environment("OMPI_COMM_WORLD_RANK"); }
int launched_size() { return number_in_environment("OMPI_COMM_WORLD_SIZE"); }
int launched_local_rank() { return number_in_environment("OMPI_COMM_WORLD_LOCAL_RANK"); }

Result<std::unique_ptr<Collective>> make_mpi(int* argc, char*** argv) {
  int provided = 0;
  const Bounded bounded("MPI_Init", kMeetMost, static_cast<int>(Code::kDisconnected));
  // The owner and the communication thread never call at once (wait() lies between, in abort() too), so SERIALIZED is
  // enough.
  DYAD_TRYV(checked(MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread"));
  if (provided < MPI_THREAD_SERIALIZED)
    return fail(Code::kFailed, "this MPI gives thread level {} only; Dyad needs MPI_THREAD_SERIALIZED", provided);
  return std::unique_ptr<Collective>(std::make_unique<Mpi>());
}

}  // namespace dyad::comm
