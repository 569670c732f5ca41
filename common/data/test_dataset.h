#pragma once
// For tests: a dataset of given items, one user and one event.
#include <string>
#include <vector>
#include "common/base/check.h"
#include "common/data/dataset.h"
#include "common/data/dataset_writer.h"

namespace dyad::data {

inline Dataset dataset_of(const std::filesystem::path& dir, const std::vector<std::string>& keys) {
  auto writer = DatasetWriter::create(dir, {}).value();
  CHECK(writer.append({UserId{0}, ItemId{0}, 1}).has_value());
  std::vector<Item> items(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) items[i].key = keys[i];
  CHECK(writer.finish(items, std::vector<std::string>{"u"}).has_value());
  return Dataset::open(dir).value();
}

}  // namespace dyad::data
