#include "common/control/client.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <unistd.h>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/random_id.h"
#include "common/control/address.h"
#include "common/net/request_client.h"
#include "common/wire/codec.h"

namespace dyad::control {
namespace {

constexpr int kBackoffMs = 50, kBackoffMaxMs = 1000;

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

class NetControlClient final : public ControlClient {
 public:
  explicit NetControlClient(const ClientOptions& options)
      : options_(options), incarnation_(options.incarnation), run_(options.run), nonce_(random_id()) {}

  Result<wire::Registered> register_(const wire::Register& message) override {
    DYAD_TRY(registered, (call<wire::Register, wire::Registered>(message, Incarnation{nonce_}, options_.call_ms)));
    incarnation_ = registered.incarnation;
    run_ = registered.run;
    return std::move(registered);
  }

  Result<wire::Routing> wait_routing(int timeout_ms) override {
    const Millis end = steady_now_ms() + static_cast<Millis>(std::max(timeout_ms, 1));
    for (int backoff = kBackoffMs;; backoff = std::min(backoff * 2, kBackoffMaxMs)) {
      const Millis now = steady_now_ms();
      auto routing =
          call<wire::GetRouting, wire::Routing>({}, incarnation_, now < end ? static_cast<int>(end - now) : 1);
      if (routing.has_value() || routing.error().code != Code::kNotFound) return routing;
      if (steady_now_ms() + static_cast<Millis>(backoff) > end)
        return fail(Code::kDisconnected, "no routing after {} ms: {}", timeout_ms, routing.error().message);
      sleep_ms(backoff);
    }
  }

  Result<wire::Command> heartbeat(const wire::Heartbeat& message) override {
    DYAD_TRY(reply, (call<wire::Heartbeat, wire::HeartbeatReply>(message, incarnation_, options_.call_ms)));
    return reply.command;
  }

  Result<wire::Lease> acquire_lease(std::uint64_t epoch, std::uint64_t first_batch) override {
    return call<wire::AcquireLease, wire::Lease>({epoch, first_batch}, incarnation_, options_.call_ms);
  }

  Status complete_lease(const wire::CompleteLease& message) override { return acknowledged(message); }

  Result<wire::CutStatus> cut_part(const wire::CutPart& part, int timeout_ms) override {
    const Millis end = steady_now_ms() + static_cast<Millis>(std::max(timeout_ms, 0));
    DYAD_TRY(status, (call<wire::CutPart, wire::CutStatus>(part, incarnation_, options_.call_ms)));
    for (int backoff = kBackoffMs; !status.committed && status.given_up.empty() && steady_now_ms() < end;
         backoff = std::min(backoff * 2, kBackoffMaxMs)) {
      sleep_ms(std::min(backoff, static_cast<int>(end - steady_now_ms() + 1)));
      DYAD_TRY(next, (call<wire::CutPart, wire::CutStatus>(part, incarnation_,
                                                           options_.call_ms)));  // again: parts are not journalled
      status = next;
    }
    return std::move(status);
  }

  Status report_eval(const wire::EvalResult& result) override { return acknowledged(result); }
  Status goodbye(const std::string& reason, int timeout_ms) override {
    DYAD_TRYV((call<wire::Goodbye, wire::Ack>({reason}, incarnation_, timeout_ms)));
    return ok();
  }
  Incarnation incarnation() const override { return incarnation_; }

 private:
  template <class Request> Status acknowledged(const Request& request) {
    DYAD_TRYV((call<Request, wire::Ack>(request, incarnation_, options_.call_ms)));
    return ok();
  }

  template <class Request, class Reply> Result<Reply> call(const Request& request, Incarnation as, int call_ms) {
    const wire::Envelope envelope{{options_.role, options_.id, as, run_}, ++request_, {}, request};
    DYAD_TRY(answer, ask(envelope, call_ms));
    return wire::expect<Reply>(std::move(answer));
  }

  // Attempts until the time is up; each looks up the address anew, for a restarted coordinator may listen elsewhere.
  // The connection stays: where it is not there, or its coordinator was restarted in place, ZeroMQ makes it anew.
  Result<wire::Envelope> ask(const wire::Envelope& envelope, int call_ms) {
    const Millis start = steady_now_ms(), end = start + static_cast<Millis>(std::max(call_ms, 1));
    for (int backoff = kBackoffMs;; backoff = std::min(backoff * 2, kBackoffMaxMs)) {
      const Millis now = steady_now_ms();
      const int left = now < end ? static_cast<int>(end - now) : 1;
      auto answer = attempt(envelope, std::min(left, options_.attempt_ms));
      if (answer.has_value()) {
        if (lost_) LOG_INFO("the coordinator answers again, at {}", requests_->endpoint());
        lost_ = false;
        return answer;
      }
      const Code code = answer.error().code;
      if (code != Code::kDisconnected && code != Code::kNotFound && code != Code::kOverloaded) return answer;
      if (steady_now_ms() + static_cast<Millis>(backoff) >= end)
        return fail(Code::kDisconnected, "the coordinator did not answer {} for {} ms: {}",
                    wire::body_name(envelope.body), steady_now_ms() - start, answer.error().message);
      if (!lost_ && code == Code::kDisconnected)
        LOG_WARN("no answer from the coordinator, trying again: {}", answer.error().message);
      lost_ |= code == Code::kDisconnected;
      sleep_ms(backoff);
    }
  }

  Result<wire::Envelope> attempt(const wire::Envelope& envelope, int attempt_ms) {
    DYAD_TRYV(locate());
    std::optional<Result<wire::Envelope>> answer;
    const auto is_answer = [&](const net::Message& message) {
      if (message.empty()) return false;
      auto decoded = wire::decode(message.front().bytes());
      const auto other = wire::other_version(message.front().bytes());
      if ((other ? other->request : decoded ? decoded.value().request : 0) != envelope.request) return false;
      if (other) decoded = fail(decoded.error().code, "{}: {}", requests_->endpoint(), decoded.error().message);
      answer = std::move(decoded);
      return true;
    };
    net::Message message;
    message.push_back(net::Frame::copy(wire::encode(envelope)));
    auto sent = requests_->ask(std::move(message), is_answer, {.timeout_ms = attempt_ms, .resend_ms = attempt_ms});
    if (sent.has_value()) return std::move(*answer);
    return std::move(sent.error());
  }

  Status locate() {
    std::string endpoint = options_.address;
    if (endpoint.empty()) {
      DYAD_TRY(address, read_address(options_.job_dir));
      endpoint = address.control;
    }
    if (requests_ && requests_->endpoint() == endpoint) return ok();
    requests_.emplace(context_,
                      net::ConnectOptions{.endpoint = endpoint,
                                          .linger_ms = 0,
                                          .security = options_.security,
                                          .local = coordinator_socket(options_.job_dir)});
    return ok();
  }

  const ClientOptions options_;
  net::Context context_;
  std::optional<net::RequestClient> requests_;
  Incarnation incarnation_;
  RunId run_;
  const std::uint64_t nonce_;            // travels as the incarnation of a Register: sent twice, it gives one
  std::uint64_t request_ = 0;
  bool lost_ = false;
};

}  // namespace

Result<std::unique_ptr<ControlClient>> ControlClient::connect(const ClientOptions& options) {
  if (options.address.empty() && options.job_dir.empty())
    return fail(Code::kInvalid, "no way to find the coordinator: set coordinator.address or job.dir");
  return std::unique_ptr<ControlClient>(std::make_unique<NetControlClient>(options));
}

}  // namespace dyad::control
