#include "worker/rows/server_link.h"

#include <algorithm>
#include "common/base/digest.h"
#include "common/wire/codec.h"

namespace dyad::worker {

Result<ServerLink> ServerLink::open(net::Context& context, const LinkOptions& options) {
  DYAD_TRY(connection, net::Connection::open(context, options.connect));
  return ServerLink(std::move(connection), options);
}

Status ServerLink::transmit(Pending& pending) {
  net::Message copy;                             // of references: the bytes stay ours until they are acknowledged
  for (net::Frame& frame : pending.message) copy.push_back(frame.share());
  const Status sent = connection_.send(std::move(copy));
  if (!sent && sent.error().code != Code::kOverloaded) return sent;   // a full queue: sent again later
  return ok();
}

Status ServerLink::send(std::uint64_t number, net::Message message, double now_s) {
  const double interval = options_.resend_ms * 1e-3;
  pending_.push_back({number, std::move(message), now_s, now_s + interval, interval});
  return transmit(pending_.back());
}

// Whether this answers a request that is still open.
Result<bool> ServerLink::settle(const wire::Envelope& envelope, double now_s) {
  const auto at =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.number == envelope.request; });
  if (const auto* refused = std::get_if<wire::ErrorReply>(&envelope.body)) {
    if (refused->error.code == Code::kNotFound) {          // it loads its rows: how long is its disk's affair
      if (at != pending_.end()) at->first_s = now_s;
      return false;
    }
    if (refused->error.code == Code::kOverloaded)
      return false;  // stays open: it goes out again when its interval is over
    if (at != pending_.end() || envelope.request == 0)
      return Error{refused->error.code,
                   fmt::format("server {} at {}: {}", options_.server, connection_.endpoint(), refused->error.message)};
    return false;
  }
  if (at == pending_.end() || std::holds_alternative<wire::Ack>(envelope.body))
    return false;  // late, or "alive, and still waiting"
  const auto* push = std::get_if<wire::PushReply>(&envelope.body);
  if (push != nullptr && push->duplicate && !at->repeated)
    return fail(Code::kStale,
                "server {} at {} has a push of this rank for step {} already, and ours went out once: another process "
                "pushed in this rank's place; this rank leaves, start the job again from its last checkpoint",
                options_.server, connection_.endpoint(), push->step);
  pending_.erase(at);
  return true;
}

Result<std::optional<LinkReply>> ServerLink::take(double now_s) {
  while (true) {
    DYAD_TRY(message, connection_.recv(0));
    if (!message || message->empty()) return std::optional<LinkReply>{};
    DYAD_TRY(envelope, wire::decode(message->front().bytes()));
    if (envelope.sender.role != wire::Role::kServer || envelope.sender.id != options_.server.value)
      return fail(Code::kInvalid, "{} is not server {}: is its address in the routing right?", connection_.endpoint(),
                  options_.server);
    if (envelope.sender.run != options_.run)
      return fail(Code::kStale, "server {} at {} belongs to run {} of the job, this rank to run {}: one is a leftover",
                  options_.server, connection_.endpoint(), hex64(envelope.sender.run.value), hex64(options_.run.value));
    if (envelope.sender.incarnation != options_.incarnation)
      return fail(Code::kStale,
                  "server {} at {} was restarted (incarnation {}, routed to {}): ask the coordinator for the routing",
                  options_.server, connection_.endpoint(), envelope.sender.incarnation, options_.incarnation);
    heard_s_ = now_s;
    DYAD_TRY(settled, settle(envelope, now_s));
    if (settled)
      return std::optional<LinkReply>(LinkReply{envelope.request, std::move(envelope.body), std::move(*message)});
  }
}

Status ServerLink::check_time(double now_s) {
  const double timeout_s = options_.timeout_ms * 1e-3;
  for (Pending& pending : pending_) {
    if (now_s - std::max(heard_s_, pending.first_s) > timeout_s)
      return fail(Code::kDisconnected, "server {} at {} has been silent for {:.1f} s: is it running?{}",
                  options_.server, connection_.endpoint(), timeout_s, connection_.refusal());
    if (now_s - pending.first_s > 10 * timeout_s)
      return fail(Code::kOverloaded,
                  "server {} at {} lives but has not answered for {:.1f} s: is another worker stuck?", options_.server,
                  connection_.endpoint(), 10 * timeout_s);
    if (now_s < pending.again_s) continue;
    pending.interval_s =
        std::min({2 * pending.interval_s, 8e-3 * options_.resend_ms, timeout_s / 4});  // a few signs of life in time
    pending.again_s = now_s + pending.interval_s;
    ++resent_;
    pending.repeated = true;
    DYAD_TRYV(transmit(pending));
  }
  return ok();
}

}  // namespace dyad::worker
