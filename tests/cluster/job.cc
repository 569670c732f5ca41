#include "tests/cluster/job.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"

namespace dyad::tests {
namespace fs = std::filesystem;
namespace {

struct Scratch {
  fs::path dir = fs::path(testing::TempDir()) / ("dyad_cluster_" + std::to_string(getpid()));
  Scratch() { fs::create_directories(dir); }
  ~Scratch() { std::error_code ignored; fs::remove_all(dir, ignored); }
};

std::string text_of(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

void must(const std::vector<std::string>& argv) {
  const Outcome outcome = run(argv);
  if (outcome.code != 0) {
    std::string line;
    for (const auto& a : argv) line += a + " ";
    ADD_FAILURE() << line << "ended with " << outcome.code << ":\n" << outcome.output;
  }
}

}  // namespace

fs::path scratch() {
  static const Scratch folder;
  return folder.dir;
}

std::string program(const std::string& name) { return (fs::path(DYAD_BIN) / name).string(); }

// dyad is a copy, for it looks for the others beside itself.
fs::path programs_with(const std::string& folder, const std::string& name, const std::string& script) {
  const fs::path bin = scratch() / folder;
  fs::create_directories(bin);
  fs::copy_file(program("dyad"), bin / "dyad");
  for (const char* other : {"dyad-coordinator", "dyad-ps", "dyad-worker"})
    if (other != name) fs::create_symlink(program(other), bin / other);
  std::ofstream(bin / name) << "#!/bin/sh\nREAL=" << (fs::exists(program(name)) ? program(name) : "/usr/bin/" + name)
                            << "\n" << script << "\nexec \"$REAL\" \"$@\"\n";
  fs::permissions(bin / name, fs::perms::owner_all);
  return bin;
}

ops::Child start(const std::string& name, std::vector<std::string> argv, const fs::path& log) {
  auto child = ops::Child::start(name, std::move(argv), log);
  return std::move(child.value());
}

Outcome run(std::vector<std::string> argv, int timeout_s) {
  static std::atomic<int> count{0};
  const auto log = scratch() / ("run" + std::to_string(count++) + ".log");
  const std::string name = argv[0];
  auto child = start(name, std::move(argv), log);
  if (!child.wait_for(timeout_s * 1000)) {
    child.kill();
    return {-1, "timed out after " + std::to_string(timeout_s) + " s:\n" + text_of(log)};
  }
  return {*child.poll(), text_of(log)};
}

const fs::path& small_dataset() {
  static const fs::path dataset = [] {
    const auto dir = scratch() / "data";
    const auto dyad = program("dyad");
    must({dyad, "synth", "--out", dir.string(), "--users", "300", "--items", "120", "--events", "2400", "--seed", "5",
          "--vectors", "16"});
    must({dyad, "encode", "import", (dir / "vectors" / "semantic.safetensors").string(), "--data", dir.string(),
          "--stream", "behaviour"});
    must({dyad, "codes", "build", "--data", dir.string(), "--k", "12"});
    return dir;
  }();
  return dataset;
}

fs::path copy_of_dataset(const std::string& name) {
  fs::copy(small_dataset(), scratch() / name, fs::copy_options::recursive);
  return scratch() / name;
}

std::vector<std::string> train_command(const fs::path& job, Sets sets, bool resume) {
  std::vector<std::string> argv{program("dyad"), "train"};
  std::vector<std::string> all{"job.dir=" + job.string(),
                               "job.data=" + small_dataset().string(),
                               "model.dim=16",
                               "model.heads=2",
                               "model.ffn=32",
                               "model.decoder_layers=1",
                               "train.batch=64",
                               "train.precision=bf16",
                               "train.epochs=2",
                               "train.warmup=5",
                               "train.workers=2",
                               "servers.count=2",
                               "servers.buckets=64",
                               "servers.groups=8",
                               "servers.timeout_ms=20000",
                               "checkpoint.keep=50",
                               "eval.during_training=false"};
  all.insert(all.end(), sets.begin(), sets.end());
  for (const auto& set : all) argv.insert(argv.end(), {"--set", set});
  if (resume) argv.push_back("--resume");
  return argv;
}

fs::path write_job_file(const fs::path& job, Sets sets) {
  fs::create_directories(job);
  auto argv = train_command(job, std::move(sets));
  argv[1] = "config";
  const Outcome resolved = run(argv);
  EXPECT_EQ(resolved.code, 0) << resolved.output;
  std::ofstream(job / "job.toml") << resolved.output;
  return job / "job.toml";
}

fs::path last_checkpoint(const fs::path& job) {
  const auto all = ckpt::list_checkpoints(ckpt::checkpoints_dir(job), ckpt::Depth::kSizes).value();
  fs::path last;
  for (const auto& listed : all)
    if (listed.state == ckpt::State::kValid) last = listed.dir;
  return last;
}

fs::path trained(const std::string& name, Sets sets) {
  const auto job = scratch() / name;
  const Outcome outcome = run(train_command(job, std::move(sets)));
  EXPECT_EQ(outcome.code, 0) << name << ":\n" << outcome.output;
  return last_checkpoint(job);
}

const fs::path& undisturbed() {
  static const fs::path checkpoint = trained("undisturbed");
  return checkpoint;
}

std::string difference(const fs::path& a, const fs::path& b) {
  const Outcome outcome = run({program("dyad"), "ckpt", "diff", a.string(), b.string()});
  return outcome.code == 0 ? "" : "code " + std::to_string(outcome.code) + ": " + outcome.output;
}

bool wait_for_step(const fs::path& job, std::uint64_t step) {
  const auto floor = ckpt::folder_name(Step{step});
  for (int i = 0; i < 1200; ++i) {
    const auto last = last_checkpoint(job);
    if (!last.empty() && last.filename().string() >= floor) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

std::vector<pid_t> processes_of(const fs::path& job) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), ::isdigit) || std::stoi(name) == getpid()) continue;
    if (text_of(entry.path() / "cmdline").find(job.string()) != std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

pid_t process_of(const fs::path& job, const std::string& part) {
  for (const pid_t pid : processes_of(job)) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (line.starts_with(part) || line.find("/" + part) != std::string::npos) return pid;
  }
  return 0;
}

}  // namespace dyad::tests
