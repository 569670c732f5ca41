#pragma once
// How keys must go together. Private to this folder.
#include <optional>
#include <string>
#include "common/config/keys.h"

namespace dyad::config {

// What is wrong with how keys go together; the first rule that fails. `primary` is to blame, unless only `other` was
// given.
struct BrokenRule {
  const Key *primary, *other;
  std::string message;
};
std::optional<BrokenRule> broken_rule(const Config& config);

}  // namespace dyad::config
