// Needs no privileges and no network.
#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>
#include <ctime>
#include <fstream>
#include <optional>
#include <thread>
#include "ops/doctor/finding.h"

namespace dyad::ops::doctor {
namespace {

constexpr double kGb = 1e9;

// "MemAvailable:    1234 kB"
std::optional<double> memory_available() {
  std::ifstream file("/proc/meminfo");
  for (std::string name, unit; file >> name;) {
    double kb = 0;
    if (name == "MemAvailable:" && file >> kb >> unit) return kb * 1024;
    std::getline(file, unit);
  }
  return std::nullopt;
}

// What a container may have, where it has less than the machine.
std::optional<double> memory_of_container() {
  const auto number = [](const char* path) -> std::optional<double> {
    double value = 0;
    std::ifstream file(path);
    return file >> value ? std::optional(value) : std::nullopt;
  };
  const auto most = number("/sys/fs/cgroup/memory.max"), used = number("/sys/fs/cgroup/memory.current");
  return most ? std::optional(*most - used.value_or(0)) : std::nullopt;
}

Finding memory() {
  auto bytes = memory_available();
  if (!bytes) return warn("memory", "not known", "look whether /proc is mounted");
  const auto container = memory_of_container();
  const bool is_less = container && *container < *bytes;
  if (is_less) bytes = container;
  return by_limit("memory", fmt::format("{:.1f} GB available{}", *bytes / kGb, is_less ? " in this container" : ""),
                  *bytes, 1 * kGb, 3 * kGb,
                  "end other programs or give more memory: a small job wants 2 GB, each worker about 1 GB more");
}

Finding processor() {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  std::string model;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; model.empty() && std::getline(file, line);)
    if (line.starts_with("model name")) model = line.substr(line.find(": ") + 2);
  const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const std::string found = fmt::format("{} cores, {}{}", cores, model.empty() ? "unknown model" : model,
                                        __builtin_cpu_supports("avx512f") ? ", AVX-512" : has_v3 ? ", AVX2" : "");
  if (!has_v3) return bad("processor", found, "AVX2, FMA and BMI2 are missing: build with -DDYAD_MARCH=native there");
  return good("processor", found);
}

Finding open_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return by_limit("open files", fmt::format("{} at most", limit.rlim_max), static_cast<double>(limit.rlim_max), 256,
                  4096, "raise the hard limit (ulimit -Hn, LimitNOFILE=): each connection and file of a cut takes one");
}

Finding clock() {
  timex state{};
  const int answer = adjtimex(&state);
  const std::time_t now = std::time(nullptr);
  std::string text(32, '\0');
  std::tm utc{};
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&now, &utc)));
  if (utc.tm_year + 1900 < 2024) return bad("clock", text, "set the clock");
  if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    return warn("clock", text + ", synchronized by nobody that the kernel knows",
                "between machines run chrony or systemd-timesyncd: logs and checkpoints are compared by time");
  return good("clock", text + ", synchronized");
}

// The driver's own library tells, without CUDA's.
Finding gpu(const config::Config& config) {
  const bool wanted = config.train.device == "cuda";
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  int count = 0, version = 0;
  bool works = false;
  if (library) {
    using Init = int (*)(unsigned);
    using Get = int (*)(int*);
    const auto init = reinterpret_cast<Init>(dlsym(library, "cuInit"));
    const auto devices = reinterpret_cast<Get>(dlsym(library, "cuDeviceGetCount"));
    const auto driver = reinterpret_cast<Get>(dlsym(library, "cuDriverGetVersion"));
    works = init && devices && driver && init(0) == 0 && devices(&count) == 0 && driver(&version) == 0;
  }
  if (works && count > 0) {
    const auto found =
        fmt::format("{} CUDA device(s), driver for CUDA {}.{}", count, version / 1000, version % 1000 / 10);
    if (!wanted || static_cast<std::uint32_t>(count) >= config.train.workers) return good("GPU", found);
    return bad("GPU", found, fmt::format("train.workers = {}: one worker a GPU, lower it", config.train.workers));
  }
  const std::string found = library ? "a driver is there, but no device answers" : "none (no driver)";
  if (wanted) return bad("GPU", found, "train.device = \"cuda\": install the driver, or --set train.device=cpu");
  return good("GPU", found + "; train.device = \"cpu\" needs none");
}

// Of a batch system whose step this process is not: mpirun believes them.
Finding scheduler() {
  std::string names;
  for (char** one = environ; *one; ++one) {
    const std::string name = std::string(*one).substr(0, std::string(*one).find('='));
    for (const char* prefix : {"SLURM_", "PBS_", "LSB_", "PMI_", "PMIX_", "OMPI_", "SGE_", "COBALT_"})
      if (name.starts_with(prefix)) names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return good("scheduler", "no variables of one");
  if (names.size() > 200) names = names.substr(0, 200) + " ...";
  return warn("scheduler", names,
              "if mpirun starts ranks elsewhere or none, unset them, or start by srun (docs/operations.md)");
}

}  // namespace

Findings look_at_machine(const config::Config& config) {
  return {processor(), memory(), open_files(), clock(), gpu(config), scheduler()};
}

}  // namespace dyad::ops::doctor
