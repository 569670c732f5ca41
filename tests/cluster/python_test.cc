// docs/python.md: its code reads what a job writes.
#include <gtest/gtest.h>
#include <cstdlib>
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

// The system's, where the one of the PATH is somebody's own.
std::string python_with_numpy() {
  for (const std::string python : {"python3", "/usr/bin/python3"})
    if (run({python, "-c", "import numpy"}).code == 0) return python;
  return "";
}

TEST(ClusterPython, ThePagesCodeReadsEverythingThatAJobWrites) {
  const std::string python = python_with_numpy();
  if (python.empty()) GTEST_SKIP() << "no python3 with numpy here; tools/setup.sh installs one";
  const auto job = trained("python", {"train.log_every=1"}).parent_path().parent_path();
  const auto data = copy_of_dataset("python_data");          // the last block writes vectors into it
  const auto folder = scratch() / "python_page";
  fs::create_directories(folder);
  fs::create_directory_symlink(job, folder / "RUN");
  fs::create_directory_symlink(data, folder / "DATA");
  const std::string page = (fs::path(DYAD_SOURCE) / "docs/python.md").string(),
                    script = (fs::path(DYAD_SOURCE) / "tests/cluster/python_page.py").string();
  const auto outcome = run({"env", "-C", folder.string(), std::string("PATH=") + DYAD_BIN + ":" + std::getenv("PATH"),
                            python, script, page});
  EXPECT_EQ(outcome.code, 0) << outcome.output;
}

}  // namespace
}  // namespace dyad::tests
