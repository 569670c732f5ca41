#pragma once
// Which batches each rank computes, and the proof that every sample was trained on exactly once an epoch. A pure core.
// A lease is (rank, epoch, batch range): the rank computes its part (EpochPlan::part) of each global batch in the
// range. Ranges are the same for every rank, computed and never raced for; they end where a checkpoint is due (and at
// train.max_steps), so that at a cut every sample before it belongs to a completed lease.
// When an epoch's last lease is complete, counts and checksums are added up and compared with the log's (the audit).
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>
#include "coordinator/core/entries.h"

namespace dyad::coordinator {

struct Sum {
  std::uint64_t count = 0, checksum = 0;                         // samples; sum of their sample_checksum, wrapping
  void add(const Sum& other) { count += other.count, checksum += other.checksum; }
  bool operator==(const Sum&) const = default;
};

class WorkPlan {                                                  // what an epoch holds; work_plan.h has the real one
 public:
  virtual ~WorkPlan() = default;
  virtual std::uint64_t batches(std::uint64_t epoch) = 0;
  virtual Sum whole() = 0;                                        // all training samples
  // It will be asked for parts of this epoch: a plan that takes long may be made ready.
  virtual void expect(std::uint64_t) {}
  // What `rank` has to report for batches [first, end) of the epoch.
  virtual Sum part(std::uint64_t epoch, std::uint64_t first, std::uint64_t end, WorkerRank rank) = 0;
};

struct LeaseOptions {
  std::uint32_t workers = 1;
  std::uint64_t lease_batches = 0;                                // 0: as long as possible
  std::uint64_t cut_steps = 0;                                    // checkpoint.every_steps, 0: none inside an epoch
  std::uint64_t max_steps = 0, epochs = 1;                        // 0: no bound on steps
};

struct LeaseRecord {
  LeaseGranted granted;
  bool done = false;
  Sum sum;
};

class Leases {
 public:
  Leases(const LeaseOptions& options, WorkPlan& plan) : options_(options), plan_(plan), frontier_(options.workers) {}

  // The same question gets the same lease. kInvalid: not where this rank's last lease ended.
  Result<wire::Lease> acquire(WorkerRank rank, const wire::AcquireLease& ask, Entries& entries);
  // Doing it twice changes nothing. A rank that stops early completes what it has. kStale: the lease was released.
  // kInvalid: not this rank's, no batch of it, or other figures now.
  Status complete(WorkerRank rank, const wire::CompleteLease& message, Entries& entries);
  // A worker starts again at `from`.
  void release(WorkerRank rank, Place from, Entries& entries);

  bool complete_before(Place place) const;                        // no granted lease that ends at or before it is open
  std::string open_before(Place place) const;                     // "rank 1: epoch 2, batches 20 to 40"
  Place normalised(Place place);                                  // the end of an epoch is the begin of the next
  Place at_step(Step step);                                       // where training goes on after `step`
  const std::map<std::uint64_t, EpochAudited>& audits() const { return audits_; }
  bool audit_failed() const;

  void apply(const Entry& entry);

 private:
  using Key = std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>;          // rank, epoch, first batch
  std::uint64_t step_base(std::uint64_t epoch);                   // steps before the epoch
  std::uint64_t range_end(Place place);
  void forget(std::uint32_t rank, Place from);
  bool covers(std::uint32_t rank, std::uint64_t epoch, std::uint64_t first, std::uint64_t end) const;
  void apply_run(const RunStarted& run);
  void apply_release(const LeasesReleased& released);
  void audit(std::uint64_t epoch, Entries& entries);

  LeaseOptions options_;
  WorkPlan& plan_;
  std::map<Key, LeaseRecord> leases_;
  std::map<std::uint64_t, Key> by_id_;
  std::set<Key> open_;                                            // those of leases_ that are not done
  std::vector<Place> frontier_;                                   // [workers] where the next lease begins
  std::map<std::uint64_t, std::uint64_t> audited_from_;           // epoch -> batch, where the part before has no leases
  std::map<std::uint64_t, EpochAudited> audits_;
  std::vector<std::uint64_t> base_{0};
  std::uint64_t next_id_ = 1;
  std::optional<std::uint32_t> run_workers_;
};

}  // namespace dyad::coordinator
