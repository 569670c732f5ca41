#include "common/base/log.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include "common/base/progress.h"
#include "common/base/quiet.h"
#include "common/base/terminal.h"

namespace dyad {
namespace {

std::atomic<std::uint64_t> current_step{0};
std::atomic<bool> quiet{false};
std::atomic<spdlog::color_mode> color{spdlog::color_mode::automatic};

spdlog::color_mode color_mode() {
  const auto chosen = color.load();
  return chosen == spdlog::color_mode::automatic && is_color_unwanted() ? spdlog::color_mode::never : chosen;
}

class StepFlag : public spdlog::custom_flag_formatter {  // %* in the pattern: "step 12 ", nothing before the first step
 public:
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& out) override {
    if (const auto step = current_step.load(std::memory_order_relaxed))
      fmt::format_to(std::back_inserter(out), "step {} ", step);
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<StepFlag>(); }
};

class Sink : public spdlog::sinks::stderr_color_sink_mt {          // its lines begin where a bar is drawn
 public:
  using Base = spdlog::sinks::stderr_color_sink_mt;
  using Base::Base;
  void log(const spdlog::details::log_msg& message) override {
    wipe_progress();
    Base::log(message);
  }
};

}  // namespace

void set_log_role(const std::string& role, int rank) {
  auto logger = std::make_shared<spdlog::logger>(role, std::make_shared<Sink>(color_mode()));
  logger->set_level(spdlog::get_level());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  const std::string name = rank < 0 ? role : fmt::format("{} {}", role, rank);
  formatter->add_flag<StepFlag>('*').set_pattern("%Y-%m-%d %H:%M:%S.%e %^%L%$ [" + name + "] %*%v");
  logger->set_formatter(std::move(formatter));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void set_log_step(Step step) { current_step.store(step.value, std::memory_order_relaxed); }

void set_log_level(const std::string& level) {
  const auto parsed = spdlog::level::from_str(level);
  const auto wanted = parsed == spdlog::level::off && level != "off" ? spdlog::level::info : parsed;
  spdlog::set_level(quiet ? std::max(wanted, spdlog::level::err) : wanted);
}

void set_log_quiet() {
  quiet = true;
  spdlog::set_level(std::max(spdlog::get_level(), spdlog::level::err));
}

bool is_log_quiet() { return quiet; }

void set_log_color(const std::string& when) {
  color = when == "always"  ? spdlog::color_mode::always
          : when == "never" ? spdlog::color_mode::never
                            : spdlog::color_mode::automatic;
  for (const auto& sink : spdlog::default_logger()->sinks())
    if (auto* colored = dynamic_cast<spdlog::sinks::stderr_color_sink_mt*>(sink.get()))
      colored->set_color_mode(color_mode());
}

}  // namespace dyad
