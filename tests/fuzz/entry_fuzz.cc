// A record of the coordinator's journal (coordinator/core/entries.h).
#include "coordinator/testing/entries_for_test.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (const coordinator::Entry& entry : coordinator::one_of_each_for_test()) out.push_back(encode(entry));
  return out;
}

void decode(std::string_view bytes) {
  const auto first = coordinator::decode_entry(bytes);
  if (!first) return;
  const std::string once = coordinator::encode(first.value());
  const auto second = coordinator::decode_entry(once);
  CHECK(second.has_value() && coordinator::encode(second.value()) == once);
}

}  // namespace dyad::fuzz
