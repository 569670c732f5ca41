#pragma once
// Whole jobs for tests: a small dataset made once, and `dyad` run as a user runs it, with real processes and sockets.
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>
#include "ops/launch/child.h"

namespace dyad::tests {

using Sets = std::vector<std::string>;                      // of --set

struct Outcome {
  int code = -1;
  std::string output;                                       // stdout and stderr
};

std::filesystem::path scratch();                            // this test program's own folder, removed at the end
std::string program(const std::string& name);               // of the build under test
Outcome run(std::vector<std::string> argv, int timeout_s = 100);
ops::Child start(const std::string& name, std::vector<std::string> argv, const std::filesystem::path& log);

// A folder in scratch() of the build's programs, but `name` is this shell script: $REAL is the program in its place.
std::filesystem::path programs_with(const std::string& folder, const std::string& name, const std::string& script);

// A dataset of a few hundred synthetic users with codes for both streams.
const std::filesystem::path& small_dataset();
// A copy of it in scratch() / name, to be altered.
std::filesystem::path copy_of_dataset(const std::string& name);
// `dyad train` of a small model on it, into `job`; `sets` come last and win.
std::vector<std::string> train_command(const std::filesystem::path& job, Sets sets = {},
                                       bool resume = false);
// The resolved configuration of that as a file in `job`, for tests that start the parts by hand.
std::filesystem::path write_job_file(const std::filesystem::path& job, Sets sets = {});
// The folder of the job's last committed checkpoint, empty if there is none.
std::filesystem::path last_checkpoint(const std::filesystem::path& job);
// Runs a job in scratch() / name to its end and gives its last checkpoint.
std::filesystem::path trained(const std::string& name, Sets sets = {});
const std::filesystem::path& undisturbed();                 // the job that others are compared with
// Empty if both checkpoints hold the same bytes, else what `dyad ckpt diff` says.
std::string difference(const std::filesystem::path& a, const std::filesystem::path& b);
// Waits until the job has committed a checkpoint of at least this step; false after a minute.
bool wait_for_step(const std::filesystem::path& job, std::uint64_t step);
// Process ids whose command line names this folder.
std::vector<pid_t> processes_of(const std::filesystem::path& job);
// The first of them whose command line holds `part` as a program's name or begins with it: with a whole path mpirun,
// which names the program too, is passed over. 0: none.
pid_t process_of(const std::filesystem::path& job, const std::string& part);
// Whether `is_so` within 20 s.
template <class IsSo> bool soon(IsSo is_so) {
  for (int i = 0; i < 1000 && !is_so(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return is_so();
}

}  // namespace dyad::tests
