#include "common/base/scarcity.h"

#include <sys/resource.h>
#include <csignal>
#include <cstdlib>
#include <new>
#include <system_error>
#include <thread>
#include <gtest/gtest.h>
#include "common/base/check.h"

namespace dyad {
namespace {

constexpr auto kOverloaded = static_cast<int>(Code::kOverloaded);

void leave_no_memory() {
  const rlimit none{1, 1};
  ::setrlimit(RLIMIT_AS, &none);
}

TEST(Scarcity, IsToldFromOtherFailures) {
  EXPECT_EQ(error_of(std::bad_alloc()).code, Code::kOverloaded);
  EXPECT_EQ(error_of(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again))).code,
            Code::kOverloaded);
  EXPECT_EQ(error_of(std::system_error(std::make_error_code(std::errc::permission_denied))).code, Code::kFailed);
  EXPECT_EQ(error_of(std::runtime_error("a path too long")).message, "a path too long");
}

TEST(ScarcityDeathTest, AnExceptionThatLeavesAThreadAndALibraryThatAbortsEndWithItsCode) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        end_with_a_code_when_memory_is_short();
        std::thread([] { throw std::bad_alloc(); }).join();
      },
      testing::ExitedWithCode(kOverloaded), "^out of memory");
  EXPECT_EXIT(
      {
        end_with_a_code_when_memory_is_short();
        leave_no_memory();
        std::abort();
      },
      testing::ExitedWithCode(kOverloaded), "^out of memory");
}

TEST(ScarcityDeathTest, AFaultEndsWithItsCodeOnlyWhereMemoryIsShort) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto fault = [](bool is_short) {
    end_with_a_code_when_memory_is_short();
    if (is_short) leave_no_memory();
    ::raise(SIGSEGV);
    ::raise(SIGSEGV);                            // as a fault does: the instruction is tried again
  };
  EXPECT_EXIT(fault(true), testing::ExitedWithCode(kOverloaded), "^out of memory");
  EXPECT_DEATH(fault(false), "");
}

TEST(ScarcityDeathTest, ABugStillAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        end_with_a_code_when_memory_is_short();
        CHECK(1 + 1 == 3);
      },
      testing::KilledBySignal(SIGABRT), "1 \\+ 1 == 3");
  EXPECT_EXIT(
      {
        end_with_a_code_when_memory_is_short();
        std::thread([] { throw std::runtime_error("a bug"); }).join();
      },
      testing::KilledBySignal(SIGABRT), "a bug");
}

}  // namespace
}  // namespace dyad
