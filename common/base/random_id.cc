#include "common/base/random_id.h"

#include <random>

namespace dyad {

std::uint64_t random_id() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32 | device()) | 1;
}

}  // namespace dyad
