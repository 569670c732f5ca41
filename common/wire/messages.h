#pragma once
// Every message of Dyad as a plain struct. On the wire each is a small Cap'n Proto header (wire.capnp), and bulk
// follows as raw frames: for each section one frame of keys (uint64, little-endian) and one frame of values
// (row-major).
//   [ header | keys 0 | values 0 | keys 1 | values 1 ... ]
// Only common/wire sees the generated types. encode() / decode() are in codec.h; decode() trusts nothing.
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>
#include "common/base/ids.h"
#include "common/base/random_id.h"
#include "common/base/result.h"
#include "common/tables/tables.h"

namespace dyad::wire {

inline constexpr std::uint16_t kProtocolVersion = 3;
enum class Role : std::uint8_t { kCoordinator, kServer, kWorker, kTool };
enum class ValueType : std::uint8_t { kFp32, kFp16 };      // of the rows in a frame

// A process and its incarnation travel together, and incarnations count inside one run: a life of the job, from a fresh
// start or a resume to its end. A message of another run is answered with kStale. Who registers knows no run yet and
// says 0; so does a tool, which belongs to none.
struct Sender {
  Role role = Role::kTool;
  std::uint32_t id = 0;                                    // ServerId or WorkerRank
  Incarnation incarnation;
  RunId run;
};

struct Section {                                           // `count` rows of one table; the frames follow the header
  TableId table{};
  std::uint32_t count = 0;
};

// ---- worker <-> parameter server ----
struct Pull {
  Step at_least;                                           // answer once every step up to this one is applied
  ValueType values = ValueType::kFp32;
  std::vector<Section> sections;                           // frames: keys only, ascending; a table comes once
};
struct PullReply {
  Step applied;
  ValueType values = ValueType::kFp32;
  std::vector<Section> sections;                           // frames: values only, in the order of the keys
};
struct Push {                                              // one per rank, server and step, also when it holds no rows
  Step step;
  float learning_rate = 0;                                 // of the row optimizer at this step
  bool cut = false;                                        // freeze the tables right after this step (checkpoint)
  ValueType values = ValueType::kFp32;
  std::vector<Section> sections;                           // frames: keys and gradients; keys ascend within a section
};
struct PushReply {
  Step step;
  bool duplicate = false;                                  // already had it; nothing was changed
};

// ---- anyone -> coordinator; the coordinator only answers ----
struct Register {
  std::string address;                                     // where this process serves, empty for workers
  std::uint64_t config_digest = 0;                         // of the resolved configuration; must be equal everywhere
  std::uint32_t pid = 0;
  std::string host;
  std::map<std::string, std::uint64_t> data;               // of workers: part of the dataset -> digest
  Tables tables;                                           // of workers: that their model keeps on the servers
};
struct Registered {
  Incarnation incarnation;
  Step resume;                                             // load this cut; 0: start fresh
  std::string checkpoint;                                  // its folder; with step 0 of another job, for its weights
                                                           // alone, or empty: they are drawn
  RunId run;
  RoutingEpoch generation;                                 // it belongs to (coordinator/core/membership.h)
  std::uint64_t manifest = 0;                              // digest that the checkpoint's must have
};
struct GetRouting {};
struct Routing {                                           // group -> server; empty until all servers are registered
  RoutingEpoch epoch;
  std::vector<std::uint32_t> group_server;                 // [groups]
  std::vector<std::string> server_address;                 // [servers]
  std::vector<std::uint64_t> server_incarnation;           // [servers]
  Tables tables;                                           // none until a worker is registered: servers know no model
  std::vector<std::uint64_t> worker_incarnation;           // [workers] 0: not registered yet. Fixed for this epoch then
};
struct Heartbeat {
  std::string state;                                       // "starting", "ready", "training", "done"
  Step step;
  std::map<std::string, double> metrics;                   // loss, samples_per_s, seconds of each phase, bytes ...
};
enum class Command : std::uint8_t { kNone, kStop, kRestart };   // kRestart: your peers changed; leave with code kStale
struct HeartbeatReply { Command command = Command::kNone; };
struct AcquireLease {                                      // the part of an epoch that this rank computes next
  std::uint64_t epoch = 0;
  std::uint64_t first_batch = 0;
};
struct Lease {
  std::uint64_t id = 0, epoch = 0, first_batch = 0, end_batch = 0;   // empty range: the epoch is finished
};
struct CompleteLease {
  std::uint64_t id = 0, end_batch = 0;                     // before which it is done: earlier than leased at a stop
  std::uint64_t count = 0, checksum = 0;                   // samples trained on and the sum of their sample_checksum
};
struct FilePart {
  std::string path;                                        // relative to the checkpoint's folder
  std::uint64_t bytes = 0, digest = 0;
};
struct CutPart {                                           // "my files of cut `step` are on disk and synced"
  Step step;
  std::vector<FilePart> files;
  std::map<std::string, std::string> facts;                // worker 0: epoch, next batch, loss ... go into the manifest
  std::string failure;                                     // or why there will be no files
};
struct CutStatus {
  Step step;
  bool committed = false;
  std::string given_up;                                    // why it never will be; training goes on
};
struct EvalResult {                                        // figures of one content, made in one way
  std::string checkpoint, split;
  std::map<std::string, double> metrics;                   // "fusion/ndcg@10" ...
  std::uint64_t manifest = 0;                              // the digest in the checkpoint's manifest
  std::string settings;                                    // config::EvalSettings in words
};
struct Goodbye { std::string reason; };                    // "done" ends the job when every worker has said it
struct Ack {};
struct ErrorReply { Error error; };

using Body = std::variant<Pull, PullReply, Push, PushReply, Register, Registered, GetRouting, Routing, Heartbeat,
                          HeartbeatReply, AcquireLease, Lease, CompleteLease, CutPart, CutStatus, EvalResult,
                          Goodbye, Ack, ErrorReply>;
struct Envelope {
  Sender sender;
  std::uint64_t request = 0;                               // a reply carries the request's number
  RoutingEpoch routing;
  Body body;
};

}  // namespace dyad::wire
