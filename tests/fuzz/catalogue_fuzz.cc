// catalogue.jsonl of a dataset (common/data/catalogue.h).
#include "common/data/catalogue.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  const data::Item items[] = {
      {"k1", "a \"title\"\\ \xc3\xa9\t", "Brand", {{"A", "B"}, {"C"}}}, {"k2", "", "", {}}, {"k3", "t", "", {{}}}};
  std::string all;
  for (const data::Item& item : items) all += data::catalogue_line(item) + "\n";
  return {all, data::catalogue_line(items[0])};
}

void decode(std::string_view bytes) {
  const auto first = data::parse_catalogue(bytes, "x");
  if (!first) return;
  for (const data::Item& item : first.value()) {
    const auto second = data::parse_catalogue_line(data::catalogue_line(item), "y");
    CHECK(second.has_value() && second.value().key == item.key && second.value().title == item.title);
    CHECK(second.value().brand == item.brand && second.value().categories == item.categories);
  }
}

}  // namespace dyad::fuzz
