// coordinator.json, where the coordinator of a job listens (common/control/address.h).
#include "common/control/address.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  CHECK(control::write_address(folder(), {"tcp://127.0.0.1:34567", "http://127.0.0.1:34568", 77}).has_value());
  return {bytes_of(control::address_file(folder()))};
}

void decode(std::string_view bytes) {
  put(control::address_file({}).string(), bytes);
  const auto first = control::read_address(folder());
  if (!first) return;
  CHECK(control::write_address(folder(), first.value()).has_value());
  const auto second = control::read_address(folder());
  CHECK(second.has_value() && second.value().control == first.value().control);
  CHECK(second.value().http == first.value().http && second.value().pid == first.value().pid);
}

}  // namespace dyad::fuzz
