#pragma once
// Which files a command line for s3rec means. Threads: any; no state.
#include <filesystem>
#include <vector>
#include "common/base/result.h"

namespace dyad::importer {

struct S3recFiles {
  std::filesystem::path sequences;
  std::filesystem::path times, items, attributes;            // empty where there are none
  std::vector<std::filesystem::path> unread;                 // of the same data set
};
// A folder with sequences.txt (that file itself too), or NAME.txt of the published repository, or its folder where it
// holds one. Fails with kInvalid naming what is there.
Result<S3recFiles> find_s3rec(const std::vector<std::filesystem::path>& paths);

}  // namespace dyad::importer
