#pragma once
// A child process of a launcher: started with its output in a log file, ended when the launcher dies, killed and reaped
// when the object goes. Threads: one.  Ownership: owns the process (and its process group).
#include <csignal>
#include <filesystem>
#include <functional>
#include <ios>
#include <optional>
#include <string>
#include <vector>
#include <sys/types.h>
#include "common/base/result.h"

namespace dyad::ops {

struct ChildOptions {
  int niceness = 0;                             // added to this process's
  int orphan_signal = SIGKILL;                  // what it gets when this process dies; an mpirun has others to end
  bool keep_scheduler = false;                  // see child_environment()
  int ignored_signal = 0;                       // until it says itself what that does; 0: none
};

class Child {
 public:
  // Starts argv[0] (searched in PATH if it has no slash) with stdout and stderr appended to `log`; an empty `log`: with
  // those of this process. In its environment this process is the launcher (common/base/process.h). Fails with
  // kNotFound if the program cannot be executed.
  static Result<Child> start(std::string name, std::vector<std::string> argv, const std::filesystem::path& log,
                             const ChildOptions& options = {});
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();                                     // kill()

  const std::string& name() const { return name_; }
  const std::filesystem::path& log() const { return log_; }
  pid_t pid() const { return pid_; }
  // The exit code if it has ended (128 + signal if a signal ended it), nothing while it runs.
  // It stays a zombie until kill(), so that its number, which is its group's too, is nobody else's.
  std::optional<int> poll();
  // Why it ended, for an error message: the last lines that it logged as errors, which mpirun's banners would hide;
  // without any, the last lines of all. What was in the log before its start is left out. Lines end with \n and are
  // indented.
  std::string last_words() const;
  void signal(int number);                      // to the process alone; nothing if it has ended
  // True if it ended in time. `stop` ends the wait.
  bool wait_for(int timeout_ms, const std::function<bool()>& stop = [] { return false; });
  // SIGTERM, patience, SIGKILL to the whole group; reaps. One that is in a driver's hands, so that not even SIGKILL
  // ends it, is left to the system after a second.
  void kill(int patience_ms = 2000);

 private:
  Child() = default;
  std::string name_;
  std::filesystem::path log_;
  std::streamoff log_begin_ = 0;                // where its own lines begin
  pid_t pid_ = -1;
  std::optional<int> code_;
};

// The last `lines` lines of a log, for an error message.
std::string tail(const std::filesystem::path& log, int lines);
// A program of ours that lies beside the running one; else its bare name, for PATH.
std::string sibling_program(const std::string& name);

}  // namespace dyad::ops
