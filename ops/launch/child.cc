#include "ops/launch/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <fstream>
#include <thread>
#include <utility>
#include "ops/launch/child_environment.h"

namespace dyad::ops {
namespace {

constexpr int kNoLog = -1;
constexpr int kReapMs = 1000;

// In the new process, after fork: only calls that are safe there. Reports errno of a failed exec through the pipe.
[[noreturn]] void become(const std::vector<char*>& argv, const std::vector<char*>& environment, int log_fd,
                         int error_pipe, const ChildOptions& options, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, options.orphan_signal);
  if (getppid() != parent) _exit(127);          // the launcher died before prctl
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  if (log_fd != kNoLog) {
    dup2(log_fd, 1);
    dup2(log_fd, 2);
  }
  if (options.niceness != 0) (void)!nice(options.niceness);
  if (options.ignored_signal != 0) ::signal(options.ignored_signal, SIG_IGN);
  execvpe(argv[0], argv.data(), environment.data());
  const int error = errno;
  (void)!write(error_pipe, &error, sizeof error);
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> raw;
  for (auto& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  return raw;
}

Result<int> open_log(const std::filesystem::path& log) {
  if (log.empty()) return kNoLog;
  std::error_code ignored;
  std::filesystem::create_directories(log.parent_path(), ignored);
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return fail(Code::kInvalid, "{}: {}; make its folder writable", log.string(), std::strerror(errno));
  return fd;
}

constexpr std::size_t kErrorLines = 4, kLines = 12;
constexpr const char* kBannerRule = "----------------------------------------";   // above and below a message of mpirun
constexpr char kNoLevel = 0;

class LastLines {
 public:
  explicit LastLines(std::size_t most) : most_(most) {}
  void add(const std::string& line) {
    lines_.push_back(line);
    if (lines_.size() > most_) lines_.pop_front();
  }
  bool empty() const { return lines_.empty(); }
  std::string text() const {
    std::string out;
    for (const auto& line : lines_) out += "  | " + line + "\n";
    return out;
  }

 private:
  std::size_t most_;
  std::deque<std::string> lines_;
};

// 'E' of "2026-11-25 01:31:36.274 E [worker 0] ..." (common/base/log.cc).
char level_of(const std::string& line) {
  constexpr std::size_t kAt = 24;
  const bool is_logged = line.size() > kAt + 3 && line[4] == '-' && line[10] == ' ' && line[13] == ':' &&
                         line[kAt - 1] == ' ' && line.compare(kAt + 1, 2, " [") == 0;
  return is_logged ? line[kAt] : kNoLevel;
}

// What common/base/check.cc and result.cc print before they abort.
bool is_broken_promise(const std::string& line) {
  return line.starts_with("bug: ") || line.find(": CHECK(") != std::string::npos;
}

}  // namespace

Result<Child> Child::start(std::string name, std::vector<std::string> argv, const std::filesystem::path& log,
                           const ChildOptions& options) {
  DYAD_TRY(log_fd, open_log(log));
  int pipe_fd[2];
  if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
    if (log_fd != kNoLog) close(log_fd);
    return fail(Code::kFailed, "pipe: {}", std::strerror(errno));
  }
  auto environment = child_environment(environ, options.keep_scheduler);
  const auto arguments = pointers(argv), variables = pointers(environment);
  const off_t log_begin = log_fd == kNoLog ? 0 : lseek(log_fd, 0, SEEK_END);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(arguments, variables, log_fd, pipe_fd[1], options, parent);
  if (log_fd != kNoLog) close(log_fd);
  close(pipe_fd[1]);
  int error = 0;
  const bool failed = pid < 0 || read(pipe_fd[0], &error, sizeof error) == sizeof error;
  close(pipe_fd[0]);
  if (pid < 0) return fail(Code::kFailed, "fork for {}: {}", name, std::strerror(errno));
  if (failed) {
    waitpid(pid, nullptr, 0);
    return fail(Code::kNotFound, "cannot start {} ({}): {}; build it or put it in PATH", name, argv[0],
                std::strerror(error));
  }
  Child child;
  child.name_ = std::move(name);
  child.log_ = log;
  child.log_begin_ = std::max<std::streamoff>(0, log_begin);
  child.pid_ = pid;
  return child;
}

Child::Child(Child&& other) noexcept
    : name_(std::move(other.name_)),
      log_(std::move(other.log_)),
      log_begin_(other.log_begin_),
      pid_(std::exchange(other.pid_, -1)),
      code_(other.code_) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    kill();
    name_ = std::move(other.name_);
    log_ = std::move(other.log_);
    log_begin_ = other.log_begin_;
    pid_ = std::exchange(other.pid_, -1);
    code_ = other.code_;
  }
  return *this;
}

Child::~Child() { kill(); }

std::optional<int> Child::poll() {
  if (code_ || pid_ < 0) return code_;
  siginfo_t ended{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == pid_)
    code_ = ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
  return code_;
}

void Child::signal(int number) { if (pid_ > 0 && !poll()) ::kill(pid_, number); }

bool Child::wait_for(int timeout_ms, const std::function<bool()>& stop) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!poll()) {
    if (std::chrono::steady_clock::now() > end || stop()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void Child::kill(int patience_ms) {
  if (pid_ < 0) return;
  if (!poll()) {
    ::kill(-pid_, SIGTERM);
    wait_for(patience_ms);
  }
  ::kill(-pid_, SIGKILL);                       // what is left of the group, also when the leader has ended
  if (wait_for(kReapMs)) waitpid(pid_, nullptr, 0);
  if (!code_) code_ = 128 + SIGKILL;
  pid_ = -1;
}

std::string Child::last_words() const {
  std::ifstream file(log_);
  file.seekg(log_begin_);
  LastLines errors(kErrorLines), all(kLines);
  bool in_error = false;
  for (std::string line; std::getline(file, line);) {
    if (const char level = level_of(line); level != kNoLevel) in_error = level == 'E' || level == 'C';
    if (line.starts_with(kBannerRule)) in_error = false;
    if (in_error || is_broken_promise(line)) errors.add(line);    // an error may go on in other lines
    all.add(line);
  }
  return errors.empty() ? all.text() : errors.text();
}

std::string tail(const std::filesystem::path& log, int lines) {
  std::ifstream file(log);
  LastLines last(static_cast<std::size_t>(lines));
  for (std::string line; std::getline(file, line);) last.add(line);
  return last.text();
}

std::string sibling_program(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto beside = self.parent_path() / name;
  return !error && std::filesystem::exists(beside, error) ? beside.string() : name;
}

}  // namespace dyad::ops
