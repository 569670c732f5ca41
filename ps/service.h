#pragma once
// What a server does with a message: parses and checks it, lets the clock decide, hands the rows' work to the owners
// and joins their parts into one reply. Frames are read where they were received and values gathered where they are
// sent from. Threads: one (the socket thread) calls everything; replies may come from owners' threads.
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "common/net/buffer_pool.h"
#include "common/net/socket.h"
#include "common/wire/routing.h"
#include "ps/cut.h"
#include "ps/metrics.h"
#include "ps/owner.h"
#include "ps/step_clock.h"

namespace dyad::ps {

struct ServiceOptions {
  ServerId id;
  Incarnation incarnation;
  RunId run;
  wire::Routing routing;
  wire::Partition partition;
  ShardOptions shard;
  ClockOptions clock;
  std::uint32_t threads = 1;                     // owners; 1: work on the socket thread
  std::uint64_t frame_bytes_max = 1ull << 30;    // of a reply; peers cut off who sends more
  std::function<void(net::Peer, net::Message)> reply;              // from any thread
  std::function<void(std::shared_ptr<const Cut>)> on_freeze;       // from any thread
};

class Service {
 public:
  static Result<std::unique_ptr<Service>> make(ServiceOptions options, Metrics& metrics);
  ~Service();
  Status load(const std::filesystem::path& checkpoint, Step step);   // before the first message
  void handle(net::Incoming incoming);
  void stop();                                   // the owners finish what they have
  const std::vector<GroupId>& groups() const { return groups_; }

 private:
  struct Request;
  struct Pull;
  struct Cutting;
  using Split =
      std::vector<std::vector<std::vector<std::uint32_t>>>;  // [owner][section] positions; empty: one owner has all

  Service(ServiceOptions options, Metrics& metrics)
      : options_(std::move(options)), metrics_(metrics), clock_(options_.clock) {
    options_.shard.memory = &metrics.row_memory;
  }
  Status open(Request& request, const wire::Envelope& envelope);
  Status check_rows(const Request& request, bool pull) const;
  Result<Split> split(const std::vector<wire::SectionView>& views) const;
  void on_pull(std::shared_ptr<Request> request, const wire::Envelope& envelope);
  void on_push(std::shared_ptr<Request> request, const wire::Envelope& envelope);
  void answer_pull(std::shared_ptr<Pull> pull);
  void apply(const ApplyStep& step);
  void freeze(Step step);
  void apply_ready();
  void say(const Request& request, wire::Body body, std::vector<net::Frame> bulk = {}) const;
  void refuse(const Request& request, const Error& error) const;

  ServiceOptions options_;
  Metrics& metrics_;
  StepClock clock_;
  std::vector<GroupId> groups_;                  // mine, ascending
  std::vector<int> owner_of_;                    // [groups] -1: not mine
  std::vector<std::unique_ptr<Owner>> owners_;
  Token next_token_ = 1;
  std::map<Token, std::shared_ptr<Pull>> pulls_;       // waiting
  std::map<Token, std::shared_ptr<Request>> pushes_;   // accepted, not yet applied
  std::shared_ptr<net::BufferPool> buffers_ = std::make_shared<net::BufferPool>();
};

}  // namespace dyad::ps
