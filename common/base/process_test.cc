// Real processes, forked from the test: a launcher, and one that watches it.
#include "common/base/process.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dyad {
namespace {

pid_t forked(const std::function<void()>& begin) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  begin();
  for (;;) ::pause();
}

// Its exit code, 128 + signal; nothing if it lives on for so long.
std::optional<int> end_of(pid_t pid, int within_ms) {
  for (int waited_ms = 0; waited_ms < within_ms; waited_ms += 20) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid)
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return std::nullopt;
}

void end(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

pid_t watcher_of(const std::string& mark, std::function<void()> then = [] {}) {
  return forked([&] {
    leave_with_launcher(mark.c_str());
    then();
  });
}

TEST(Launcher, AProcessEndsWithItAlsoWhileNobodyHasReapedIt) {
  const pid_t launcher = forked([] {});
  const pid_t watcher = watcher_of(std::to_string(launcher));
  EXPECT_EQ(end_of(watcher, 600), std::nullopt);
  ::kill(launcher, SIGKILL);
  EXPECT_EQ(end_of(watcher, 3000), 6);
  end(launcher);
}

TEST(Launcher, AProcessOfItsNumberThatBeganLaterIsNotIt) {
  const pid_t watcher = watcher_of("1 1" + launcher_mark().substr(launcher_mark().rfind(' ')));   // process 1 began so?
  EXPECT_EQ(end_of(watcher, 3000), 6);
}

TEST(Launcher, WithoutAFreeDescriptorOrFromAnotherMachineNobodyIsTakenForDead) {
  const pid_t poor = watcher_of(launcher_mark(), [] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
  });
  const pid_t far = watcher_of("999999999 17 another-boot/pid:[1]"), free = watcher_of("nobody");
  EXPECT_EQ(end_of(poor, 800), std::nullopt);
  EXPECT_EQ(end_of(far, 20), std::nullopt);
  EXPECT_EQ(end_of(free, 20), std::nullopt);
  for (const pid_t pid : {poor, far, free}) end(pid);
}

TEST(Launcher, ARankEndsWithItsParentToo) {
  int alive[2];
  ASSERT_EQ(::pipe(alive), 0);                          // its end is read when the last holder of the other end is gone
  const pid_t parent = forked([&] {
    forked([] { leave_with_launcher(nullptr, Watch::kLauncherAndParent); });
  });
  ::close(alive[1]);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  end(parent);
  char byte = 0;
  EXPECT_EQ(::read(alive[0], &byte, 1), 0);
  ::close(alive[0]);
}

}  // namespace
}  // namespace dyad
