#pragma once
// What the coordinator must not forget: each change of its state that somebody was told of, as one record of the
// journal. State = the records applied in order; handling a message makes records, applies them, writes them, then
// answers.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/wire/messages.h"

namespace dyad::coordinator {

struct Place {                           // global batch `batch` of `epoch` is the next to be trained on
  std::uint64_t epoch = 0, batch = 0;
  auto operator<=>(const Place&) const = default;
};

struct RunStarted {                      // a new run of the job (not a restart of the coordinator alone)
  std::string job;
  std::uint64_t config_digest = 0;
  std::uint32_t workers = 0;
  Step resume;                           // 0: fresh
  Place next;
  std::string checkpoint;                // path of the folder; with resume 0 of another job, to begin with its weights
  std::vector<std::string> skipped;      // what is wrong with each newer one
  std::map<std::string, std::uint64_t> data;   // part of the dataset -> digest; empty in journals before there were any
  RunId run;                             // drawn for this one, in every message and every staging folder of it
  std::map<std::string, std::string> eval;     // split -> how this run evaluates it
  std::uint64_t manifest = 0;            // digest of the checkpoint's, 0 where there is none
  std::map<std::string, std::string> facts;    // of each manifest of this run besides worker 0's: what it began with
  Tables tables;                         // of the checkpoint; none when fresh: the first worker says them
};
struct TablesSaid { Tables tables; };    // by the first worker of a fresh run; the others must have the same
struct GenerationBegan {                 // everybody registered before must restart (membership.h)
  std::uint64_t generation = 0;
  std::string why;
};
struct MemberJoined {
  wire::Role role = wire::Role::kTool;
  std::uint32_t id = 0;
  Incarnation incarnation;
  std::uint64_t nonce = 0, generation = 0;
  std::string address, host;
  std::uint32_t pid = 0;
};
struct MemberLeft {
  wire::Role role = wire::Role::kTool;
  std::uint32_t id = 0;
  std::string reason;
};
struct LeaseGranted {
  std::uint64_t id = 0;
  WorkerRank rank;
  std::uint64_t epoch = 0, first_batch = 0, end_batch = 0;
};
struct LeaseCompleted {
  std::uint64_t id = 0, end_batch = 0, count = 0, checksum = 0;
};                                       // end: less than granted when given back early
struct LeasesReleased {                  // of a worker that starts again at `from`: what it did beyond is forgotten
  WorkerRank rank;
  Place from;
};
struct EpochAudited {
  std::uint64_t epoch = 0, samples = 0, checksum = 0;
  bool passed = false;
  std::string text;
};
struct CutCommitted {
  Step step;
  Place next;
  std::string folder;                    // name inside checkpoints/
  std::map<std::string, std::string> facts;
  std::uint64_t manifest = 0;            // digest of what the folder holds
};
struct CutRemoved { Step step; };
struct CutGivenUp {                      // it will never be committed in this generation; training goes on
  Step step;
  std::string why;
};
struct Evaluated {
  std::string folder, split;
  std::map<std::string, double> metrics;
  std::uint64_t manifest = 0;            // of what the folder held
  std::string settings;                  // how it was made
  bool operator==(const Evaluated&) const = default;
};

using Entry = std::variant<RunStarted, GenerationBegan, MemberJoined, MemberLeft, LeaseGranted, LeaseCompleted,
                           LeasesReleased, EpochAudited, CutCommitted, CutRemoved, Evaluated, CutGivenUp,
                           TablesSaid>;
using Entries = std::vector<Entry>;

std::string encode(const Entry& entry);                       // one JSON object
std::string encode(const Entry& entry, double unix_s);        // the same, with when it was written, for people
double time_of(std::string_view record);                      // 0: a record of before, or none
Result<Entry> decode_entry(std::string_view text);            // kInvalid: no entry of ours
// All of a journal; kInvalid naming `file` and the record.
Result<Entries> decode_entries(const std::vector<std::string>& records, const std::string& file);

}  // namespace dyad::coordinator
