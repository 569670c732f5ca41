#include <sys/types.h>
#include <unistd.h>
#include <csignal>
#include <fstream>
#include <sstream>
#include "common/cli/version.h"
#include "ops/doctor/finding.h"
#include "ops/launch/child.h"
#include "ops/launch/local_cluster.h"

namespace dyad::ops::doctor {
namespace {

constexpr int kVersionMs = 20'000, kRanksMs = 60'000;

struct Said {
  std::optional<int> code;                     // none: did not end in time
  std::string text;
};

Said run(std::vector<std::string> argv, int timeout_ms) {
  std::string log = (std::filesystem::temp_directory_path() / "dyad-doctor-XXXXXX").string();
  const int fd = mkstemp(log.data());
  if (fd < 0) return {127, "no file can be made in " + log};
  close(fd);
  Said said;
  if (auto child = Child::start(argv[0], argv, log); !child) {
    said = {127, child.error().message};
  } else {
    if (child.value().wait_for(timeout_ms)) said.code = child.value().poll();
    else child.value().kill();
    std::ifstream file(log);
    std::stringstream text;
    text << file.rdbuf();
    said.text = text.str();
  }
  unlink(log.c_str());
  return said;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Finding program(const std::string& name) {
  const Said said = run({sibling_program(name), "--version"}, kVersionMs);
  const std::string line = first_line(said.text);
  if (said.code != 0)
    return bad(name, line.empty() ? "does not start" : line,
               "a library it names is missing or the file is damaged: install or build it again");
  if (line != name + " " + cli::version())
    return bad(name, line + ", this is " + cli::version(),
               "programs of one job are of one build: install them together");
  return good(name, "starts, its libraries are there, " + cli::version());
}

Finding ranks() {
  auto argv = mpirun_arguments(2);
  argv.insert(argv.end(), {sibling_program("dyad-worker"), "hello"});
  const Said said = run(argv, kRanksMs);
  if (!said.code) return bad("MPI", fmt::format("2 ranks did not meet in {} s", kRanksMs / 1000),
                             "look for a firewall on loopback, a full /dev/shm, variables of a scheduler");
  if (*said.code == 0 && said.text.find("2 ranks") != std::string::npos) return good("MPI", "2 ranks met");
  return bad("MPI", said.text.empty() ? fmt::format("mpirun ended with code {}", *said.code) : said.text,
             "install Open MPI 4 (tools/setup.sh), or put its mpirun first in PATH");
}

}  // namespace

Findings look_at_programs() {
  return {program("dyad-coordinator"), program("dyad-ps"), program("dyad-worker"), ranks()};
}

}  // namespace dyad::ops::doctor
