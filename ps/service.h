#pragma once
// What a server does with a message: parses and checks it, lets the clock decide, hands the rows' work to the owners
// and joins their parts into one reply. Frames are read where they were received and values gathered where they are
// sent from. What it holds for others is bounded: pulls by OpenPulls, pushes by the clock's window, answers and work in
// the owners' queues by bytes. While rows are loaded, pulls are told to wait and pushes are held.
// Threads: one (the socket thread) calls everything; replies may come from owners' threads.
#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "common/net/buffer_pool.h"
#include "common/net/socket.h"
#include "common/wire/routing.h"
#include "ps/loading.h"
#include "ps/metrics.h"
#include "ps/open_pulls.h"
#include "ps/owner.h"
#include "ps/step_clock.h"

namespace dyad::ps {

struct ServiceOptions {
  ServerId id;
  Incarnation incarnation;
  RunId run;
  wire::Routing routing;                         // with tables
  wire::Partition partition;
  ClockOptions clock;
  std::uint32_t threads = 1;                     // owners; 1: work on the socket thread
  std::uint64_t frame_bytes_max = 1ull << 30;    // of a reply; peers cut off who sends more
  std::uint64_t work_bytes_max = 2ull << 30;     // of answers not sent yet, and of pushes in the owners' queues
  std::function<void(net::Peer, net::Message)> reply;              // from any thread
  std::function<void(std::shared_ptr<const Cut>)> on_freeze;       // from any thread
  std::function<void()> wake;                                      // from any thread: tick() has something to do
};

class Service {
 public:
  static Result<std::unique_ptr<Service>> make(ServiceOptions options, Metrics& metrics);
  ~Service();
  // Starts loading and returns; before the first message. tick() says how it ended.
  // Step 0: rows of another job's checkpoint, with that digest of its manifest, as weights.
  void load(const std::filesystem::path& checkpoint, Step step, std::uint64_t manifest = 0);
  bool loading() const { return loading_ != nullptr; }
  void handle(net::Incoming incoming);
  // What time and other threads bring: rows that are loaded, answers that there is room for, pulls that nobody waits
  // for any more. An error: the rows are no longer whole (or never were), and nothing more is answered.
  Status tick(double now_s);
  bool crowded() const { return !no_room_.empty(); }                // tick() soon
  // Only the workers of this routing epoch are served; a rank that the routing did not know yet is held until it does.
  // True while somebody is held. THREADS: any.
  bool wants_workers() const { return wants_workers_; }
  // What the coordinator said when it was asked at asked_s: who came before that and is not in it is refused.
  void know_workers(std::vector<std::uint64_t> incarnations, double asked_s);
  void stop();                                   // the owners finish what they have
  const std::vector<GroupId>& groups() const { return groups_; }

 private:
  struct Request;
  struct Pull;
  struct Cutting;
  using Split =
      std::vector<std::vector<std::vector<std::uint32_t>>>;  // [owner][section] positions; empty: one owner has all

  Service(ServiceOptions options, Metrics& metrics);
  Status admit(const wire::Envelope& envelope, bool& unknown) const;
  void serve(std::shared_ptr<Request> request, const wire::Envelope& envelope);
  void hold(std::shared_ptr<Request> request);
  Status open(Request& request, const wire::Envelope& envelope);
  Status check_rows(const Request& request, bool pull) const;
  Result<Split> split(const std::vector<wire::SectionView>& views) const;
  void take(std::shared_ptr<Request> request);
  void on_pull(std::shared_ptr<Request> request, const wire::Envelope& envelope);
  void on_push(std::shared_ptr<Request> request, const wire::Envelope& envelope);
  void ask_patience(const Request& request) const;
  void answer_pull(Token token);
  void compute(Token token, Pull& pull);
  void close(Token token);
  void close_answered();                         // by owners' threads
  void answer_ready();
  void apply_ready();
  void apply(const ApplyStep& step);
  void freeze(Step step);
  void loaded();
  template <class Work> void on_owner(std::size_t owner, const char* what, Work work);
  void give_up(const char* what);
  std::uint64_t reply_bytes(const Request& request) const;
  bool room(std::uint64_t bytes, std::uint64_t used) const {
    return used == 0 || used + bytes <= options_.work_bytes_max;
  }
  void say(const Request& request, wire::Body body, std::vector<net::Frame> bulk = {}) const;
  void refuse(const Request& request, const Error& error) const;

  ServiceOptions options_;
  Metrics& metrics_;
  StepClock clock_;
  OpenPulls open_;
  std::vector<GroupId> groups_;                  // mine, ascending
  std::vector<int> owner_of_;                    // [buckets] -1: not mine
  std::vector<std::unique_ptr<Owner>> owners_;
  std::unique_ptr<Loading> loading_;
  std::vector<std::shared_ptr<Request>> held_;   // of ranks that the routing does not know yet
  std::atomic<bool> wants_workers_{false};
  Token next_token_ = 1;
  std::map<Token, std::shared_ptr<Pull>> pulls_;       // those of open_: waiting, without room, or being computed
  std::deque<Token> no_room_;                          // of pulls_, or closed already
  std::map<Token, std::shared_ptr<Request>> pushes_;   // accepted, not yet applied
  std::shared_ptr<std::atomic<std::uint64_t>> queued_bytes_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<net::BufferPool> buffers_ = std::make_shared<net::BufferPool>();
  std::atomic<const char*> gave_up_{nullptr};          // at what
};

}  // namespace dyad::ps
