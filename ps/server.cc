#include "ps/server.h"

#include <future>
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
  ServiceOptions o{options_.id, start.incarnation, start.run, start.routing, options_.partition, options_.shard,
                   {.mode = options_.mode, .ranks = options_.ranks, .start = start.resume}, options_.threads,
                   static_cast<std::uint64_t>(options_.listen.message_bytes_max), {}, {}};
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
  if (!start.checkpoint.empty()) { DYAD_TRYV(service_->load(start.checkpoint, start.resume)); }
  cut_writer_ = std::make_unique<CutWriter>(options_.partition, service_->groups(), options_.checkpoint_folder,
                                            options_.on_cut, metrics_);
  std::promise<void> go;                          // thread_ is read by replies: it must be set before the first message
  thread_ = std::thread([this, wait = go.get_future()]() mutable { wait.get(); serve(); });
  go.set_value();
  return ok();
}

void Server::serve() {
  net::Poller poller;
  poller.add(listener_);
  poller.add(waker_);
  while (!stopping_) {
    const Status round = serve_round(poller);
    if (round) continue;
    LOG_ERROR("server {} stops serving: {}", options_.id, round.error().message);
    failed_ = true;
    return;
  }
  service_->stop();
  send_replies();
}

Status Server::serve_round(net::Poller& poller) {
  DYAD_TRYV(poller.wait(1000));
  waker_.clear();
  send_replies();
  for (int i = 0; i < 64; ++i) {                  // then look at the replies of the owners again
    DYAD_TRY(incoming, listener_.recv(0));
    if (!incoming) break;
    service_->handle(std::move(*incoming));
    send_replies();
  }
  return ok();
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
  if (!thread_.joinable()) return;
  stopping_ = true;
  waker_.wake();
  thread_.join();
  cut_writer_.reset();
}

}  // namespace dyad::ps
