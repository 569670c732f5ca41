#include "common/net/request_client.h"

#include <algorithm>
#include "common/base/clock.h"

namespace dyad::net {

Status RequestClient::connect() {
  ConnectOptions options = options_;
  options.linger_ms = std::min(options.linger_ms, 100);   // what a dropped connection still holds is asked again anyway
  DYAD_TRY(connection, Connection::open(context_, options));
  connection_.emplace(std::move(connection));
  return ok();
}

Result<Message> RequestClient::ask(Message request, const std::function<bool(const Message&)>& is_answer,
                                   const AskOptions& options) {
  const Millis end = steady_now_ms() + static_cast<Millis>(options.timeout_ms);
  for (int attempt = 0; steady_now_ms() < end; ++attempt) {
    if (!connection_ || attempt > 0) { DYAD_TRYV(connect()); }
    Message copy;
    for (Frame& frame : request) copy.push_back(frame.share());
    DYAD_TRYV(connection_->send(std::move(copy)));
    const Millis again = std::min(end, steady_now_ms() + static_cast<Millis>(options.resend_ms));
    for (Millis now = steady_now_ms(); now < again; now = steady_now_ms()) {
      DYAD_TRY(answer, connection_->recv(static_cast<int>(again - now)));
      if (answer && is_answer(*answer)) return std::move(*answer);
    }
  }
  return fail(Code::kDisconnected, "no answer from {} within {} ms: is it running?", options_.endpoint,
              options.timeout_ms);
}

}  // namespace dyad::net
