#include "common/control/heartbeat.h"

#include <algorithm>
#include "common/base/log.h"
#include "common/metrics/process_figures.h"

namespace dyad::control {

Result<std::unique_ptr<HeartbeatThread>> HeartbeatThread::start(ClientOptions options, int heartbeat_ms) {
  options.call_ms = options.attempt_ms =
      std::min(std::max(heartbeat_ms, 100), 2000);  // a missed beat is replaced by the next
  DYAD_TRY(client, ControlClient::connect(options));
  return std::unique_ptr<HeartbeatThread>(new HeartbeatThread(std::move(client), heartbeat_ms));
}

HeartbeatThread::HeartbeatThread(std::unique_ptr<ControlClient> client, int heartbeat_ms)
    : client_(std::move(client)), heartbeat_ms_(heartbeat_ms), answered_ms_(steady_now_ms()) {
  slot_.state = "starting";
  thread_ = std::thread([this] { run(); });
}

HeartbeatThread::~HeartbeatThread() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void HeartbeatThread::set_state(const std::string& state) {
  {
    std::lock_guard lock(mutex_);
    if (slot_.state == state) return;
    slot_.state = state;
    changed_ = true;
  }
  wake_.notify_all();
}

void HeartbeatThread::set_step(Step step) {
  std::lock_guard lock(mutex_);
  slot_.step = step;
}

void HeartbeatThread::set_metric(const std::string& name, double value) {
  std::lock_guard lock(mutex_);
  slot_.metrics[name] = value;
}

void HeartbeatThread::set_metrics(const std::map<std::string, double>& values) {
  std::lock_guard lock(mutex_);
  for (const auto& [name, value] : values) slot_.metrics[name] = value;
}

Status HeartbeatThread::heard() const {
  if (command() != wire::Command::kRestart) return ok();
  return fail(Code::kStale,
              "the coordinator asks for a restart, a peer of this job was lost: this process leaves, and is to be "
              "started again");
}

Millis HeartbeatThread::silent_ms() const { return steady_now_ms() - answered_ms_.load(std::memory_order_relaxed); }

void HeartbeatThread::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    changed_ = false;
    wire::Heartbeat message = slot_;
    lock.unlock();
    message.metrics.merge(metrics::process_figures());
    beat(message);
    lock.lock();
    wake_.wait_for(lock, std::chrono::milliseconds(heartbeat_ms_), [this] { return stop_ || changed_; });
  }
}

void HeartbeatThread::beat(const wire::Heartbeat& message) {
  const auto answer = client_->heartbeat(message);
  if (!answer.has_value() && answer.error().code != Code::kStale) return;  // lost for now: the next beat tries again
  const wire::Command told = answer.has_value() ? answer.value() : wire::Command::kRestart;
  if (!answer.has_value() && command() == wire::Command::kNone) LOG_WARN("{}", answer.error().message);
  answered_ms_.store(steady_now_ms(), std::memory_order_relaxed);
  if (told != wire::Command::kNone && command() == wire::Command::kNone)
    command_.store(told, std::memory_order_release);
}

Result<wire::Routing> wait_routing(ControlClient& control, const HeartbeatThread& heartbeat, int timeout_ms,
                                   const std::atomic<bool>* stop) {
  constexpr int kLookMs = 1000;
  for (const Millis end = steady_now_ms() + static_cast<Millis>(timeout_ms);;) {
    auto routing = control.wait_routing(kLookMs);
    if (routing || routing.error().code != Code::kDisconnected) return routing;
    DYAD_TRYV(heartbeat.heard());
    if (steady_now_ms() >= end || (stop && *stop)) return routing;
  }
}

Result<wire::Routing> wait_tables(ControlClient& control, const HeartbeatThread& heartbeat, int timeout_ms,
                                  const std::atomic<bool>& stop) {
  constexpr auto kLook = std::chrono::milliseconds(50);
  for (bool told = false;; std::this_thread::sleep_for(kLook)) {
    auto routing = wait_routing(control, heartbeat, timeout_ms, &stop);
    if (!routing && told && routing.error().code == Code::kDisconnected)
      return fail(Code::kDisconnected, "no answer from the coordinator for {} ms: {}", heartbeat.silent_ms(),
                  routing.error().message);
    if (!routing || !routing.value().tables.empty() || stop) return routing;
    DYAD_TRYV(heartbeat.heard());
    if (!told) LOG_INFO("waits for a worker, which says what tables there are");
    told = true;
  }
}

}  // namespace dyad::control
