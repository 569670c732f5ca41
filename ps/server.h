#pragma once
// A parameter server: the service behind a socket, with its threads.
//   socket thread   receives, parses, lets the clock decide; with one owner it also does the rows' work
//   owner threads   (servers.threads > 1) each owns the rows of its groups
//   cut writer      files of a checkpoint, at low priority
//   loaders         (with a checkpoint) one per owner; until they are done pulls are told to wait
// Life: bind() (the address is known, requests queue) -> start() (served at once, rows load) -> stop() or abandon().
// Threads: bind, start and stop from one; the rest from any.
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include "common/base/clock.h"
#include "common/net/poll.h"
#include "common/net/socket.h"
#include "ps/cut_writer.h"
#include "ps/service.h"

namespace dyad::ps {

struct ServerOptions {
  ServerId id;
  std::uint32_t ranks = 1;
  Mode mode = Mode::kSync;
  wire::Partition partition;
  std::uint32_t threads = 1;
  net::ListenOptions listen;
  CutWriter::Folder checkpoint_folder;            // where the cut of a step goes
  CutWriter::Done on_cut;  // its files are on disk and synced (or why not); on the writer's thread
};
struct StartOptions {                             // what the coordinator said
  Incarnation incarnation;
  wire::Routing routing;                          // with tables
  Step resume;                                    // 0: fresh
  std::filesystem::path checkpoint;               // what to load (wire::Registered), empty: nothing
  RunId run;
  std::uint64_t manifest = 0;                     // digest of the checkpoint's
};

class Server {
 public:
  static Result<std::unique_ptr<Server>> bind(net::Context& context, const ServerOptions& options);
  ~Server();
  const std::string& endpoint() const { return listener_.endpoint(); }
  Status start(const StartOptions& options);
  // Whether the rows are loaded, waited for at most so long; the error that ended loading or serving once there is one.
  Result<bool> loaded(int timeout_ms = 0);
  // The cut that is being written. From the thread that starts and stops.
  std::optional<Step> writing() const { return cut_writer_ ? cut_writer_->writing() : std::nullopt; }
  void stop();                                    // ends after the message in hand and writes the cuts that were frozen
  void abandon();                                 // without them: this life of the job is over
  Millis turned_ms() const { return turned_ms_; } // when the socket thread did last
  // A worker speaks that the routing did not know yet: ask the coordinator again, and say what it answered.
  bool wants_workers() const { return service_ != nullptr && service_->wants_workers(); }
  void know_workers(std::vector<std::uint64_t> incarnations, double asked_s);
  Step applied() const { return Step{metrics_.applied}; }
  std::map<std::string, double> metrics() const { return metrics_.snapshot(); }

 private:
  Server(net::Listener listener, const ServerOptions& options) : options_(options), listener_(std::move(listener)) {}
  void serve();
  Status serve_all();
  Status serve_round(net::Poller& poller);
  void set_loaded(Result<bool> loaded);
  void take_workers();
  void send_replies();

  ServerOptions options_;
  net::Listener listener_;
  Metrics metrics_;
  net::Waker waker_;
  std::unique_ptr<CutWriter> cut_writer_;
  std::unique_ptr<Service> service_;
  std::mutex mutex_;
  std::vector<std::pair<net::Peer, net::Message>> replies_;        // under mutex_; sent by the socket thread
  std::condition_variable changed_;
  Result<bool> loaded_ = false;                                    // under mutex_
  std::atomic<bool> stopping_{false};
  std::atomic<Millis> turned_ms_{0};
  std::optional<std::pair<std::vector<std::uint64_t>, double>> workers_;   // under mutex_; for the socket thread
  std::thread thread_;
};

}  // namespace dyad::ps
