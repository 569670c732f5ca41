#include "ops/launch/preflight.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>
#include "common/base/processor.h"
#include "common/io/files.h"
#include "ops/launch/child.h"

namespace dyad::ops {

namespace fs = std::filesystem;

namespace {

constexpr int kCheckMs = 120'000;       // LibTorch with CUDA loads for seconds, from a network disk for longer

Status check_program(const std::string& name, const std::function<bool()>& stop) {
  DYAD_TRY(shell, Child::start("sh", {"sh", "-c", "command -v \"$0\" >/dev/null", sibling_program(name)}, {}));
  const bool answered = shell.wait_for(kCheckMs, stop);
  if (stop()) return shell.kill(0), ok();
  if (answered && *shell.poll() == 0) return ok();
  return fail(Code::kNotFound, "there is no program {} beside dyad or in PATH; {}", name,
              name == "mpirun" ? "install Open MPI (tools/setup.sh)" : "build it or install all of Dyad");
}

// A worker is asked: this program knows no device.
Status check_device(const config::Config& config, const std::function<bool()>& stop) {
  if (config.train.device != "cuda") return ok();
  DYAD_TRY(worker, Child::start("dyad-worker check",
                                {sibling_program("dyad-worker"), "check", "--device", config.train.device, "--ranks",
                                 std::to_string(config.train.workers)},
                                fs::path(config.job.dir) / "logs" / "check.log"));
  const bool answered = worker.wait_for(kCheckMs, stop);
  if (stop()) return worker.kill(0), ok();
  if (!answered)
    return fail(Code::kFailed, "dyad-worker check --device cuda said nothing for {} s; look at the driver (nvidia-smi)",
                kCheckMs / 1000);
  if (*worker.poll() == 0) return ok();
  std::string why = worker.last_words();
  while (why.ends_with('\n')) why.pop_back();
  return fail(Code::kInvalid, "no worker could use train.device = \"cuda\" here:\n{}", why);
}

// "7000" of "tcp://127.0.0.1:7000"; empty where any free port is meant.
std::string fixed_port(const std::string& endpoint) {
  const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
  return port == "*" || port == "!" || port == "0" ? "" : port;
}

// "127.0.0.1:7000" of "tcp://localhost:7000": the same place has one name.
std::string place_of(std::string endpoint) {
  if (endpoint.starts_with("tcp://")) endpoint.erase(0, 6);
  if (endpoint.starts_with("localhost:")) endpoint.replace(0, 9, "127.0.0.1");
  return endpoint;
}

}  // namespace

Status check_data(const config::Config& config) {
  const fs::path data = config.job.data;
  const auto check = [&](const fs::path& file, const std::string& make) -> Status {
    DYAD_TRY(there, io::exists(file));
    return there ? ok() : Status(fail(Code::kNotFound, "{}: not there yet; {}", file.string(), make));
  };
  DYAD_TRYV(check(data / "dataset.json", "make the dataset with `dyad import`, or name another by job.data"));
  for (const std::string stream : {"behaviour", "semantic"}) {
    const std::string file = stream + ".safetensors";
    DYAD_TRYV(check(data / "codes" / file, "make the codes with `dyad codes build --data " + data.string() + "`"));
    if (!config.model.gct) continue;
    const std::string make = stream == "semantic" ? "text" : "behaviour";
    DYAD_TRYV(check(data / "vectors" / file, "make the vectors with `dyad encode " + make +
                                                 "` or `dyad encode import`, or train without them (model.gct = "
                                                 "false)"));
  }
  return ok();
}

Status check_writable(const fs::path& job_dir) {
  for (const fs::path& one : {job_dir, job_dir / "logs", job_dir / "checkpoints"}) {
    std::error_code ignored;
    if (fs::exists(one, ignored) && ::access(one.c_str(), W_OK | X_OK) != 0)
      return fail(Code::kInvalid, "{} can't be written: {}; choose another job.dir, or make it yours", one.string(),
                  std::strerror(errno));
  }
  return ok();
}

Status check_ports(const config::Config& config) {
  const std::vector<std::pair<const char*, std::string>> wanted{{"servers.bind", config.servers.bind},
                                                                {"coordinator.bind", config.coordinator.bind},
                                                                {"servers.http", config.servers.http},
                                                                {"coordinator.http", config.coordinator.http}};
  for (const auto& [key, endpoint] : wanted)
    if (config.servers.count > 1 && std::string_view(key).starts_with("servers.") && !fixed_port(endpoint).empty())
      return fail(Code::kInvalid,
                  "{} = \"{}\", but {} servers of one machine can't share a port; write {} for it, or "
                  "servers.count = 1",
                  key, endpoint, config.servers.count, endpoint.starts_with("tcp://") ? "*" : "0");
  for (auto one = wanted.begin(); one != wanted.end(); ++one)
    for (auto other = wanted.begin(); other != one; ++other)
      if (!fixed_port(one->second).empty() && place_of(one->second) == place_of(other->second))
        return fail(Code::kInvalid, "{} and {} both want {}; give each a port of its own", other->first, one->first,
                    place_of(one->second));
  return ok();
}

Status check_machine(const config::Config& config, bool workers_here, const std::function<bool()>& stop) {
  for (const char* name : {"dyad-coordinator", "dyad-ps", "dyad-worker", "mpirun"}) {
    DYAD_TRYV(check_program(name, stop));
  }
  DYAD_TRYV(check_ports(config));
  if (!workers_here) return ok();
  if (const auto kernels = choose_kernels(config.train.kernels); !kernels) return kernels.error();
  return check_device(config, stop);
}

}  // namespace dyad::ops
