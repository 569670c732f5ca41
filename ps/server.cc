#include "ps/server.h"

#include <future>
#include <new>
#include "common/base/check.h"
#include "common/base/log.h"

namespace dyad::ps {

Result<std::unique_ptr<Server>> Server::bind(net::Context& context, const ServerOptions& options) {
  DYAD_TRYV(check(options.partition));
  DYAD_TRY(listener, net::Listener::bind(context, options.listen));
  return std::unique_ptr<Server>(new Server(std::move(listener), options));
}

Server::~Server() { stop(); }

Status Server::start(const StartOptions& start) {
  CHECK(service_ == nullptr);
  ServiceOptions o;
  o.id = options_.id;
  o.incarnation = start.incarnation;
  o.run = start.run;
  o.routing = start.routing;
  o.partition = options_.partition;
  o.clock = {.mode = options_.mode, .ranks = options_.ranks, .start = start.resume};
  o.threads = options_.threads;
  o.frame_bytes_max = static_cast<std::uint64_t>(options_.listen.frame_bytes_max);
  o.wake = [this] { waker_.wake(); };
  o.reply = [this](net::Peer peer, net::Message message) {
    const bool elsewhere = std::this_thread::get_id() != thread_.get_id();
    {
      std::lock_guard lock(mutex_);
      replies_.emplace_back(std::move(peer), std::move(message));
    }
    if (elsewhere) waker_.wake();
  };
  o.on_freeze = [this](std::shared_ptr<const Cut> cut) { cut_writer_->write(std::move(cut)); };
  DYAD_TRY(service, Service::make(std::move(o), metrics_));
  service_ = std::move(service);
  cut_writer_ = std::make_unique<CutWriter>(options_.partition, service_->groups(), options_.checkpoint_folder,
                                            options_.on_cut, metrics_);
  if (start.checkpoint.empty()) set_loaded(true);
  else service_->load(start.checkpoint, start.resume, start.manifest);
  turned_ms_ = steady_now_ms();
  std::promise<void> go;                          // thread_ is read by replies: it must be set before the first message
  thread_ = std::thread([this, wait = go.get_future()]() mutable { wait.get(); serve(); });
  go.set_value();
  return ok();
}

void Server::set_loaded(Result<bool> loaded) {
  std::lock_guard lock(mutex_);
  loaded_ = std::move(loaded);
  changed_.notify_all();
}

Result<bool> Server::loaded(int timeout_ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return !loaded_ || loaded_.value(); });
  return loaded_;
}

void Server::serve() {
  Status end = ok();
  try {
    end = serve_all();
  } catch (const std::bad_alloc&) {
    end = fail(Code::kOverloaded, "no memory to serve: {} rows in {} bytes are held", metrics_.rows.load(),
               metrics_.row_memory.load());
  }
  service_->stop();                               // the cuts that the owners still freeze come to the writer
  if (!end) return set_loaded(std::move(end.error()));
  send_replies();
}

Status Server::serve_all() {
  net::Poller poller;
  poller.add(listener_);
  poller.add(waker_);
  while (!stopping_) { DYAD_TRYV(serve_round(poller)); }
  return ok();
}

Status Server::serve_round(net::Poller& poller) {
  constexpr int kCrowdedMs = 5;                   // memory comes back on ZeroMQ's threads, which wake nobody
  DYAD_TRYV(poller.wait(service_->crowded() ? kCrowdedMs : 1000));
  waker_.clear();
  turned_ms_ = steady_now_ms();
  const bool loading = service_->loading();
  DYAD_TRYV(service_->tick(steady_now_s()));
  if (loading && !service_->loading()) set_loaded(true);
  take_workers();
  send_replies();
  for (int i = 0; i < 64; ++i) {                  // then look at the replies of the owners again
    DYAD_TRY(incoming, listener_.recv(0));
    if (!incoming) break;
    service_->handle(std::move(*incoming));
    send_replies();
  }
  return ok();
}

void Server::know_workers(std::vector<std::uint64_t> incarnations, double asked_s) {
  {
    std::lock_guard lock(mutex_);
    workers_.emplace(std::move(incarnations), asked_s);
  }
  waker_.wake();
}

void Server::take_workers() {
  std::optional<std::pair<std::vector<std::uint64_t>, double>> workers;
  {
    std::lock_guard lock(mutex_);
    workers.swap(workers_);
  }
  if (workers) service_->know_workers(std::move(workers->first), workers->second);
}

void Server::send_replies() {
  std::vector<std::pair<net::Peer, net::Message>> replies;
  {
    std::lock_guard lock(mutex_);
    replies.swap(replies_);
  }
  for (auto& [peer, message] : replies) {
    const Status sent = listener_.send(peer, std::move(message));
    if (!sent) LOG_DEBUG("reply dropped, its peer will ask again: {}", sent.error().message);
  }
}

void Server::stop() {
  stopping_ = true;
  waker_.wake();
  if (thread_.joinable()) thread_.join();
  if (service_) service_->stop();                 // no owner freezes any more
  cut_writer_.reset();
}

void Server::abandon() {
  if (cut_writer_) cut_writer_->drop();
  stop();
}

}  // namespace dyad::ps
