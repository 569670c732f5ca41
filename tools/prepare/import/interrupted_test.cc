// A real `dyad import` is killed while it reads and while it writes: no half dataset, and the next run cleans up after
// it.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gtest/gtest.h>
#include <functional>
#include "common/base/clock.h"
#include "common/base/check.h"
#include "common/base/random.h"
#include "common/io/staged_folder.h"
#include "tools/prepare/import/import_test_files.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;

pid_t start_import(const fs::path& input, const fs::path& out) {
  std::vector<std::string> words{DYAD_PROGRAM,   "import", "--format",   "jsonl",
                                 input.string(), "--out",  out.string(), "--json"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  CHECK_EQ(posix_spawn(&pid, DYAD_PROGRAM, &quiet, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&quiet);
  return pid;
}

int exit_status(pid_t pid) {
  int status = 0;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

// Kills the import as soon as `reached`. False if it had ended before.
bool kill_when(pid_t pid, const std::function<bool()>& reached) {
  const double limit = steady_now_s() + 60;
  while (!reached()) {
    if (waitpid(pid, nullptr, WNOHANG) == pid) return false;
    CHECK(steady_now_s() < limit);
    usleep(100);
  }
  kill(pid, SIGKILL);
  return WIFSIGNALED(exit_status(pid));
}

std::size_t staged_folders(const fs::path& folder) {
  std::size_t n = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    n += entry.path().filename().string().starts_with("out.tmp-");
  return n;
}

TEST(InterruptedImport, LeavesNoHalfDatasetAndTheNextRunCleansUp) {
  TestFiles files;
  std::string text;
  KeyedRandom random(1);
  for (int i = 0; i < 200'000; ++i)
    text += fmt::format("{{\"user\":{},\"item\":{},\"time\":{}}}\n", random.below(5000), random.below(2000), i);
  const fs::path input = files.put("in/e.jsonl", text), out = files.path("o/out");
  fs::create_directories(files.path("o"));

  std::size_t killed = 0;
  const auto staged = [&](pid_t pid) { return fs::path(fmt::format("{}.tmp-{}", out.string(), pid)); };
  for (int attempt = 0; attempt < 5 && killed < 2; ++attempt) {
    const pid_t pid = start_import(input, out);
    const auto reading = [&] { return fs::exists(staged(pid) / ".dyad-staged"); };
    const auto writing = [&] {
      std::error_code none;
      return fs::file_size(staged(pid) / "log/p0000/00000000.seg", none) > 0 && !none;
    };
    const bool was_killed = killed == 0 ? kill_when(pid, reading) : kill_when(pid, writing);
    if (was_killed) {
      ++killed;
      EXPECT_FALSE(fs::exists(out));
      EXPECT_EQ(staged_folders(files.path("o")), 1u);     // its own; the one before was removed
    }
    fs::remove_all(out);
  }
  ASSERT_EQ(killed, 2u);

  EXPECT_EQ(exit_status(start_import(input, out)), 0);
  EXPECT_EQ(staged_folders(files.path("o")), 0u);
  Options options = files.options("jsonl", {input});      // the same, undisturbed
  options.partitions = 8;
  ASSERT_TRUE(run(options).has_value());
  EXPECT_EQ(data::Dataset::open(out).value().digest(), data::Dataset::open(options.out).value().digest());
}

TEST(InterruptedImport, AnotherRunThatIsAliveKeepsItsFolder) {
  TestFiles files;
  const fs::path input = files.put("e.jsonl", "{\"user\":1,\"item\":2}\n"), out = files.path("o/out");
  const auto any = [](const fs::path&) { return true; };
  const auto alive = io::StagedFolder::create(out, {false, "dataset.json", any}).value();
  EXPECT_EQ(exit_status(start_import(input, out)), 0);
  EXPECT_TRUE(fs::exists(alive.path()));
  EXPECT_TRUE(fs::exists(out / "dataset.json"));
}

}  // namespace
}  // namespace dyad::importer
