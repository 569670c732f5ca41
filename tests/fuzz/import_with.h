#pragma once
// For the targets of the import: what a format's reader takes must give a dataset that opens.
#include "common/data/dataset.h"
#include "tests/fuzz/fuzz.h"
#include "tools/prepare/import/formats.h"

namespace dyad::fuzz {

// Reads `paths` by `read` alone, which is fast; an input that it takes is then imported as a whole.
inline void import_with(const std::string& format, Status (*read)(const importer::Options&, importer::Intake&),
                        std::vector<std::filesystem::path> paths, const std::filesystem::path& items = {}) {
  importer::Options options;
  options.format = format;
  options.paths = std::move(paths);
  options.items = items;
  options.out = folder() / "out";
  options.partitions = 1;
  options.force = true;
  importer::Intake intake(format == "s3rec");
  if (!read(options, intake) || intake.rows.empty()) return;
  const auto report = importer::run(options);
  CHECK(report.has_value());
  const auto dataset = data::Dataset::open(options.out);
  CHECK(dataset.has_value());
  CHECK_EQ(dataset.value().events(), intake.rows.size());
  CHECK_EQ(dataset.value().users(), intake.users.size());
}

}  // namespace dyad::fuzz
