#include "common/base/scarcity.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>

namespace dyad {
namespace {

constexpr const char* kOutOfMemory =
    "out of memory, or of threads: give this process more (ulimit -v, ulimit -u, the machine, its container)";

[[noreturn]] void leave() {
  (void)!::write(STDERR_FILENO, kOutOfMemory, std::strlen(kOutOfMemory));
  (void)!::write(STDERR_FILENO, "\n", 1);
  ::_exit(static_cast<int>(Code::kOverloaded));
}

// What malloc asks for when a thread first allocates (an arena of 64 MiB, twice that to align it): who fails with less
// free may have failed for that, and others have given back since. Only calls that a signal handler may make.
bool is_memory_short() {
  constexpr std::size_t kBytes = 128u << 20;
  void* const got = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return true;
  ::munmap(got, kBytes);
  return false;
}

constexpr std::array kDeadly{SIGABRT, SIGSEGV};  // oneDNN writes where it got nothing
std::array<struct sigaction, kDeadly.size()> before_ours;

// Not for want of memory: what would have been without us. A fault comes again, and abort() goes on.
void on_deadly(int number) {
  if (is_memory_short()) leave();
  for (std::size_t i = 0; i < kDeadly.size(); ++i)
    if (kDeadly[i] == number) ::sigaction(number, &before_ours[i], nullptr);
  if (number == SIGABRT) ::raise(number);
}

std::terminate_handler before = nullptr;

[[noreturn]] void on_terminate() {
  if (const auto current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const std::exception& e) {
      if (error_of(e).code == Code::kOverloaded) leave();
    } catch (...) {
    }
  }
  if (before) before();
  std::abort();
}

}  // namespace

Error error_of(const std::exception& e) {
  if (dynamic_cast<const std::bad_alloc*>(&e)) return fail(Code::kOverloaded, "{}", kOutOfMemory);
  const auto* system = dynamic_cast<const std::system_error*>(&e);
  const bool scarce = system && (system->code() == std::errc::resource_unavailable_try_again ||
                                 system->code() == std::errc::not_enough_memory);
  if (scarce) return fail(Code::kOverloaded, "{}: {}", e.what(), kOutOfMemory);
  return fail(Code::kFailed, "{}", e.what());
}

void end_with_a_code_when_memory_is_short() {
  before = std::set_terminate(on_terminate);
  struct sigaction action {};
  action.sa_handler = on_deadly;
  for (std::size_t i = 0; i < kDeadly.size(); ++i) ::sigaction(kDeadly[i], &action, &before_ours[i]);
}

}  // namespace dyad
