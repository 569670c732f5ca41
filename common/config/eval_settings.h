#pragma once
// With what a job evaluates a split. A result with other settings (fewer users, other beams) is somebody's own: it says
// nothing about which of the job's checkpoints is the best.
#include <cstdint>
#include <string>
#include <string_view>
#include <fmt/format.h>
#include "common/config/config.h"

namespace dyad::config {

struct EvalSettings {
  std::uint32_t users = 0;               // at most so many; 0: all
  std::uint32_t beams = 0;
  std::string rank;
  bool operator==(const EvalSettings&) const = default;
  std::string words() const {
    return fmt::format("{} users, {} beams, rank {}", users == 0 ? "all" : std::to_string(users), beams, rank);
  }
};

inline EvalSettings eval_settings(const Config& config, std::string_view split) {
  return {split == "validation" ? config.eval.during_training_users : config.eval.users, config.eval.beams,
          config.eval.rank};
}

}  // namespace dyad::config
