#include "common/base/log.h"

#include <atomic>
#include <memory>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace dyad {
namespace {

std::atomic<std::uint64_t> current_step{0};

class StepFlag : public spdlog::custom_flag_formatter {  // %* in the pattern: "step 12 ", nothing before the first step
 public:
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& out) override {
    if (const auto step = current_step.load(std::memory_order_relaxed))
      fmt::format_to(std::back_inserter(out), "step {} ", step);
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<StepFlag>(); }
};

}  // namespace

void set_log_role(const std::string& role, int rank) {
  auto logger = std::make_shared<spdlog::logger>(role, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
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
  spdlog::set_level(parsed == spdlog::level::off && level != "off" ? spdlog::level::info : parsed);
}

}  // namespace dyad
