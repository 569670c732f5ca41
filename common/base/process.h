#pragma once
// What the system tells of a process (/proc), and the promise of a child that it does not outlive its launcher. The
// launcher names itself in DYAD_LAUNCHER, which children inherit however deep they lie (below an mpirun, too), and each
// program of ours watches it: a signal at the parent's death (PR_SET_PDEATHSIG) reaches one level only, and not through
// mpirun. Threads: any.
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace dyad {

struct ProcessStat {
  pid_t parent = 0;
  bool has_ended = false;          // a zombie: nobody has reaped it yet
  bool is_stopped = false;         // by a signal (SIGSTOP), until SIGCONT; one in a debugger's hands is not
  std::uint64_t started = 0;       // clock ticks after boot: tells a process from a later one of the same number
  std::uint64_t work = 0;          // processor time and page faults, in no unit: grows while it does something
};
std::optional<ProcessStat> process_stat(pid_t pid);   // nothing: there is no such process
std::string host_name();                              // of this machine; "unknown" where it has none

inline constexpr const char* kLauncherVariable = "DYAD_LAUNCHER";
// This process as the value of that variable.
std::string launcher_mark();

enum class Watch { kLauncher, kLauncherAndParent };   // the parent too: mpirun, for its ranks
// From now on this process ends, at once, without a word and with code 6, when its launcher has. `launcher`: the
// variable's value, what launcher_mark() gave or a bare process id (a script's `export DYAD_LAUNCHER=$$`); null: none.
// One of another machine, as mpirun may hand it on, says nothing. Call it once, at the start of main, before other
// threads are.
void leave_with_launcher(const char* launcher, Watch watch = Watch::kLauncher);

}  // namespace dyad
