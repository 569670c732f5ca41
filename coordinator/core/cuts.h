#pragma once
// One checkpoint is one step everywhere. Phase one: every server and worker 0 write their files of cut T and send the
// list (CutPart). Phase two: when all lists are there and all leases before the cut are complete, the manifest is
// written: from then on the checkpoint exists. A pure core: writing and deleting is asked of a CutStore. Parts are not
// journalled: a coordinator that was restarted gets them again, because senders repeat them until told "committed". A
// new generation drops the parts of cuts that are not committed.
#include <map>
#include <set>
#include <string>
#include <vector>
#include "common/ckpt/staging.h"
#include "coordinator/core/entries.h"

namespace dyad::coordinator {

inline constexpr std::size_t kPendingCutsMax = 8;

struct CutsOptions {
  std::uint32_t servers = 1, keep = 3;
  std::uint32_t unevaluated_max = 0;     // cuts without a validation result that stay for it; 0: none does
};
// Enough for an evaluation that takes as long as a few cuts.
constexpr std::uint32_t unevaluated_max_for(std::uint32_t keep) {
  return keep < 2 ? 4 : keep > 1u << 30 ? keep : 2 * keep;
}
struct OldCut {
  Step step;
  bool unevaluated = false;              // its turn never came: there were more than unevaluated_max
};

struct PendingCut {
  Step step;
  Place next;
  std::map<std::uint32_t, std::vector<wire::FilePart>> servers;   // by ServerId
  std::vector<wire::FilePart> worker;
  bool worker_came = false;
  std::map<std::string, std::string> facts;
};

class CutStore {                                                  // checkpoint_store.h has the real one
 public:
  virtual ~CutStore() = default;
  virtual std::string folder(Step step) const = 0;                // name inside checkpoints/
  virtual std::string path(Step step) const = 0;                  // as processes are told it
  // Writes the manifest and gives the files that were staged under `fence` their name: the checkpoint exists when this
  // returns. Doing it again is harmless.
  virtual Result<std::uint64_t> commit(const PendingCut& cut, const Tables& tables,
                                       const ckpt::Fence& fence) = 0;   // the manifest's digest
  virtual void drop(Step step, const ckpt::Fence& fence) = 0;     // what was staged of a cut that is given up
  virtual Status remove(Step step) = 0;                           // the manifest first
  virtual Status point_best(Step step) = 0;                       // atomically
};

class Cuts {
 public:
  explicit Cuts(const CutsOptions& options) : options_(options) {}

  // kInvalid: worker 0's facts lack epoch or next_batch, a path leaves the folder or comes from two senders.
  static Status check_sender(const wire::Sender& sender);         // servers and worker 0 have a part in cuts
  // REQUIRES: check_sender, and the cut is neither committed nor given up.
  Status add_part(const wire::Sender& sender, const wire::CutPart& part);
  bool is_committed(Step step) const { return committed_.count(step) > 0; }
  bool was_committed(Step step) const { return is_committed(step) || removed_.count(step) > 0; }   // in this history
  // Why it never will be: one of its parts could not be written, or a later cut is committed. Empty: it still may.
  std::string given_up(Step step) const;
  void give_up(Step step, std::string why, Entries& entries);
  struct GivenUp {
    std::uint64_t count = 0;                                      // in this run
    CutGivenUp last;
  };
  const GivenUp& all_given_up() const { return all_given_up_; }
  std::vector<const PendingCut*> complete() const;                // all parts there, oldest first
  void commit(const PendingCut& cut, std::string folder, std::uint64_t manifest, Entries& entries);
  // What is no longer kept: all but the newest `keep`, `best`, and those that still wait for their evaluation. When
  // more than unevaluated_max do, in all, the oldest of them goes: a job that nobody evaluates must not fill the disk.
  std::vector<OldCut> to_remove(Step best, const std::set<Step>& evaluated) const;
  void removed(Step step, Entries& entries);

  bool any_pending() const { return !pending_.empty(); }
  std::string missing() const;                                    // of the oldest pending cut: "server 1, worker 0"
  Step last() const { return committed_.empty() ? Step{0} : committed_.rbegin()->first; }
  std::uint64_t failed() const { return failed_; }                // begun and given up, since this process started
  const std::map<Step, CutCommitted>& committed() const { return committed_; }
  const std::map<Step, PendingCut>& pending() const { return pending_; }

  void apply(const Entry& entry);

 private:
  Status check_files(const PendingCut& cut, const wire::Sender& sender, const wire::CutPart& part) const;
  CutsOptions options_;
  std::map<Step, PendingCut> pending_;
  std::map<Step, CutCommitted> committed_;
  std::map<Step, std::string> given_up_;
  GivenUp all_given_up_;
  std::uint64_t failed_ = 0;
  std::set<Step> removed_;                                        // were committed, and are not kept any more
};

}  // namespace dyad::coordinator
