#include "coordinator/server/server.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <unistd.h>
#include "common/base/log.h"
#include "common/base/log_limit.h"
#include "common/control/address.h"
#include "common/http/server.h"
#include "common/metrics/wall_time.h"
#include "common/net/socket.h"
#include "common/wire/codec.h"
#include "coordinator/server/page/page.h"
#include "coordinator/server/probes.h"
#include "coordinator/server/status_json.h"

namespace dyad::coordinator {
namespace {

constexpr Millis kTickMs = 200, kPublishMs = 500;

struct Published {                                 // what the HTTP thread may see
  std::mutex mutex;
  std::string status = "{}", metrics;
  http::Answer ready{503, "text/plain; charset=utf-8", "starting\n"};
  std::atomic<Millis> ticked_ms{steady_now_ms()};  // when the control loop turned last
  void put(Coordinator& coordinator, Past& past, Millis now) {
    past.refresh();
    if (const auto worker = coordinator.membership().members().find({wire::Role::kWorker, 0});
        worker != coordinator.membership().members().end() && !worker->second.last.metrics.empty())
      past.note(static_cast<double>(now) / 1e3, worker->second.last.step, worker->second.last.metrics);
    std::string new_status = status_json(coordinator, past, now), new_metrics = metrics_text(coordinator, past, now);
    http::Answer new_ready = readiness(coordinator);
    std::lock_guard lock(mutex);
    ready = std::move(new_ready);
    status = std::move(new_status);
    metrics = std::move(new_metrics);
  }
  http::Answer answer(const std::string& path) {
    if (path == "/healthz") {
      const Millis ticked = ticked_ms, now = steady_now_ms();     // in this order
      return health(now - std::min(now, ticked));
    }
    if (path == "/") return {200, "text/html; charset=utf-8", kStatusPage};
    std::lock_guard lock(mutex);
    if (path == "/status.json") return {200, "application/json", status};
    if (path == "/readyz") return ready;
    if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", metrics};
    return {404, "text/plain; charset=utf-8", "no such page; there are / /status.json /metrics /healthz /readyz\n"};
  }
};

class Loop {
 public:
  Loop(Coordinator& coordinator, Journal& journal, net::Listener& listener, Past& past,
       Published& published)
      : coordinator_(coordinator), journal_(journal), listener_(listener), past_(past), published_(published) {}

  Status run(const std::atomic<bool>& stop) {
    while (!stop) {
      DYAD_TRY(incoming, listener_.recv(static_cast<int>(kTickMs)));
      if (incoming) { DYAD_TRYV(answer(*incoming)); }
      const Millis now = steady_now_ms();
      if (now >= ticked_ms_ + kTickMs) { DYAD_TRYV(tick(now)); }
      std::string why;
      const auto end = coordinator_.end(now, why);
      if (end == Coordinator::End::kFailed) return fail(Code::kFailed, "{}", why);
      if (end == Coordinator::End::kDone) {
        DYAD_TRYV(tick(now));                      // what the last checkpoint replaces
        LOG_INFO("the job is over: {}", why);
        return ok();
      }
    }
    LOG_INFO("told to stop");
    return ok();
  }

 private:
  Status answer(net::Incoming& incoming) {
    if (incoming.message.empty()) return ok();
    auto request = wire::decode(incoming.message.front().bytes());
    if (!request.has_value()) return refuse(incoming, request.error());
    Entries entries;
    const auto& [sender, number, routing, body] = request.value();
    auto answer = coordinator_.handle(sender, body, steady_now_ms(), entries);
    DYAD_TRYV(write(entries));                     // first on disk, then told
    if (const auto* error = std::get_if<wire::ErrorReply>(&answer); error && error->error.code != Code::kNotFound)
      warn(wire::body_name(body), "{} of {}: {}", wire::body_name(body), member_name({sender.role, sender.id}),
           error->error.message);
    say(incoming.peer, number, std::move(answer));
    return ok();
  }

  // A build of another version learns of it at once; what is no message of Dyad has no number to answer to.
  Status refuse(const net::Incoming& incoming, const Error& why) {
    warn("", "dropped a message: {}", why.message);
    if (const auto other = wire::other_version(incoming.message.front().bytes()))
      say(incoming.peer, other->request, wire::ErrorReply{why});
    return ok();
  }

  // A few lines of a kind: a peer may send as many messages as it likes.
  template <class... Args> void warn(const char* kind, fmt::format_string<Args...> format, Args&&... args) {
    if (const auto more = limits_[kind].take())
      LOG_WARN("{}{}", fmt::format(format, std::forward<Args>(args)...), *more);
  }

  void say(const net::Peer& peer, std::uint64_t number, wire::Body body) {
    const wire::Sender me{.role = wire::Role::kCoordinator, .run = coordinator_.run().run};
    const RoutingEpoch routing{coordinator_.membership().generation()};
    net::Message message;
    message.push_back(net::Frame::copy(wire::encode({me, number, routing, std::move(body)})));
    if (auto sent = listener_.send(peer, std::move(message)); !sent.has_value()) LOG_DEBUG("{}", sent.error().message);
  }

  Status tick(Millis now) {
    ticked_ms_ = published_.ticked_ms = now;
    Entries entries;
    coordinator_.tick(now, entries);
    DYAD_TRYV(write(entries));
    if (now < published_ms_ + kPublishMs) return ok();
    published_ms_ = now;
    published_.put(coordinator_, past_, now);
    return ok();
  }

  Status write(const Entries& entries) {
    std::vector<std::string> records;
    const double time = metrics::unix_now();
    bool evaluated = false;
    for (const Entry& entry : entries) {
      records.push_back(encode(entry, time));
      past_.add(entry, time);
      evaluated |= std::holds_alternative<Evaluated>(entry);
    }
    DYAD_TRYV(journal_.append(records));
    if (!evaluated) return ok();
    if (auto shown = write_validation_events(past_.job_dir(), coordinator_.evaluations(), past_.history()); !shown)
      LOG_WARN("the evaluation is not in TensorBoard: {}", shown.error().message);
    return ok();
  }

  Coordinator& coordinator_;
  Journal& journal_;
  net::Listener& listener_;
  Past& past_;
  Published& published_;
  Millis ticked_ms_ = 0, published_ms_ = 0;
  std::map<std::string, LogLimit> limits_;         // by kind of message
};

}  // namespace

Status serve(const ServerOptions& options, Coordinator& coordinator, Journal& journal, const std::atomic<bool>& stop) {
  net::Context context;
  if (options.security.enabled()) { DYAD_TRYV(context.start_authentication({options.security.own.public_key})); }
  DYAD_TRY(listener,
           net::Listener::bind(context, {.endpoint = options.bind,
                                         .frame_bytes_max = static_cast<std::int64_t>(wire::kHeaderBytesMax),
                                         .message_bytes_max = static_cast<std::int64_t>(wire::kHeaderBytesMax),
                                         .parts_max = 1,
                                         .security = options.security,
                                         .allow_unauthenticated = options.trusted_network,
                                         .key = "coordinator.bind",
                                         .local = control::coordinator_socket(options.job_dir)}));
  Published published;
  Past past(options.job_dir);
  published.put(coordinator, past, steady_now_ms());     // whoever finds the address may ask at once
  DYAD_TRY(page, http::Server::start({options.http, "coordinator.http"},
                                     [&published](const std::string& path) { return published.answer(path); }));
  const auto pid = static_cast<std::uint32_t>(::getpid());
  DYAD_TRYV(control::write_address(options.job_dir, {listener.endpoint(), page->address(), pid}));
  LOG_INFO("control port {}, status page {}", listener.endpoint(), page->address());
  auto status = Loop(coordinator, journal, listener, past, published).run(stop);
  std::error_code ignored;
  if (auto address = control::read_address(options.job_dir); address.has_value() && address.value().pid == pid)
    std::filesystem::remove(control::address_file(options.job_dir), ignored);
  return status;
}

}  // namespace dyad::coordinator
