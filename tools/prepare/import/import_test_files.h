#pragma once
// For the tests of the import: a folder to write small inputs into, and what an import of them gives.
#include <fstream>
#include <string>
#include <vector>
#include "common/data/dataset.h"
#include "common/io/temp_folder.h"
#include "tools/prepare/import/import.h"

namespace dyad::importer {

class TestFiles {
 public:
  std::filesystem::path put(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  Options options(const std::string& format, std::vector<std::filesystem::path> paths) const {
    Options options;
    options.format = format;
    options.paths = std::move(paths);
    options.out = folder_ / "out";
    options.partitions = 2;
    options.force = true;
    return options;
  }
  // Keys of a user's items, oldest first.
  static std::vector<std::string> items_of(const data::Dataset& dataset, const std::string& user) {
    std::vector<std::string> keys;
    for (std::uint32_t u = 0; u < dataset.users(); ++u)
      if (dataset.user_key(UserId{u}) == user)
        for (const ItemId item : dataset.sequence(UserId{u})) keys.push_back(dataset.item(item).key);
    return keys;
  }

 private:
  io::TempFolder folder_;
};

}  // namespace dyad::importer
