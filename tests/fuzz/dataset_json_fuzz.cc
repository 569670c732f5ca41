// dataset.json (common/data/dataset_json.h). Its digest is of the values in it, so the fuzzer reaches what is before it
// is compared; the dataset target goes beyond.
#include "common/data/dataset_json.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  return {data::to_json({3, 4, 5, {2, 3}, {6, 7}, {{"catalogue.jsonl", {8, 9}}, {"users.txt", {10, 11}}}})};
}

void decode(std::string_view bytes) {
  const auto first = data::parse_dataset_json(bytes, "x");
  if (!first) return;
  const auto second = data::parse_dataset_json(data::to_json(first.value()), "y");
  CHECK(second.has_value());
  CHECK_EQ(data::digest_of(second.value()), data::digest_of(first.value()));
}

}  // namespace dyad::fuzz
