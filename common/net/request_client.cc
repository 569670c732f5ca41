#include "common/net/request_client.h"

#include <algorithm>

namespace dyad::net {
namespace {

constexpr Millis kRenewMs = 10'000;              // silent for so long: the network may have forgotten the connection

}  // namespace

Status RequestClient::connect(Millis now) {
  if (silent_since_ms_ == 0) silent_since_ms_ = now;
  if (connection_ && now < silent_since_ms_ + kRenewMs) return ok();
  ConnectOptions options = options_;
  options.linger_ms = std::min(options.linger_ms, 100);   // what a dropped connection still holds is asked again anyway
  DYAD_TRY(connection, Connection::open(context_, options));
  connection_.emplace(std::move(connection));
  silent_since_ms_ = now;
  return ok();
}

Result<Message> RequestClient::ask(Message request, const std::function<bool(const Message&)>& is_answer,
                                   const AskOptions& options) {
  const Millis end = steady_now_ms() + static_cast<Millis>(options.timeout_ms);
  while (steady_now_ms() < end) {
    DYAD_TRYV(connect(steady_now_ms()));
    Message copy;
    for (Frame& frame : request) copy.push_back(frame.share());
    if (Status sent = connection_->send(std::move(copy)); !sent) {
      connection_.reset();
      return std::move(sent.error());
    }
    const Millis again = std::min(end, steady_now_ms() + static_cast<Millis>(options.resend_ms));
    for (Millis now = steady_now_ms(); now < again; now = steady_now_ms()) {
      DYAD_TRY(answer, connection_->recv(static_cast<int>(again - now)));
      if (answer) silent_since_ms_ = 0;
      if (answer && is_answer(*answer)) return std::move(*answer);
    }
  }
  const std::string refusal = connection_ ? connection_->refusal() : "";
  return fail(Code::kDisconnected, "no answer from {} within {} ms: {}", options_.endpoint, options.timeout_ms,
              refusal.empty() ? "is it running?" : refusal.substr(1));
}

}  // namespace dyad::net
