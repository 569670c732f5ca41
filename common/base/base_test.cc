// The ground that everything stands on: results, keyed randomness, digests.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <vector>
#include "common/base/check.h"
#include "common/base/descriptors.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/log_limit.h"
#include "common/base/printable.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/base/utf8.h"

namespace dyad {
namespace {

Result<int> half(int x) {
  if (x % 2) return fail(Code::kInvalid, "{} is odd; give an even number", x);
  return x / 2;
}
Result<int> quarter(int x) {
  DYAD_TRY(h, half(x));
  return half(h);
}

TEST(Result, AnErrorPassesThroughTryWithItsMessage) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().code, Code::kInvalid);
  EXPECT_EQ(quarter(6).error().message, "3 is odd; give an even number");
}

TEST(ResultDeathTest, TheValueOfAnErrorAbortsWithItsMessage) { EXPECT_DEATH((void)half(3).value(), "3 is odd"); }
TEST(CheckDeathTest, AFailedCheckPrintsBothValues) { EXPECT_DEATH(CHECK_EQ(Step{3}, Step{4}), "3 vs 4"); }

TEST(KeyedRandom, TheSameKeyDrawsTheSameAndAnotherKeyDoesNot) {
  KeyedRandom a(1, 2, 3), b(1, 2, 3), c(1, 2, 4);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto x = a.next();
    EXPECT_EQ(x, b.next());
    differs |= x != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(KeyedRandom, NormalHasTheMomentsOfANormal) {
  KeyedRandom r(7);
  double sum = 0, square = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) { const double x = r.normal(); sum += x; square += x * x; }
  EXPECT_NEAR(sum / n, 0, 0.02);
  EXPECT_NEAR(square / n, 1, 0.02);
}

TEST(Digest, PiecesGiveTheDigestOfTheWhole) {
  const std::string text = "rows, slots, counts";
  Digest digest;
  const auto bytes = std::as_bytes(std::span(text));
  digest.update(bytes.first(4));
  digest.update(bytes.subspan(4));
  EXPECT_EQ(digest.value(), digest64(text));
  EXPECT_EQ(hex64(255), "00000000000000ff");
}

TEST(Printable, NoByteOfForeignTextSteersATerminalOrFillsIt) {
  EXPECT_EQ(printable("plain, caf\xc3\xa9"), "plain, caf\xc3\xa9");
  EXPECT_EQ(printable("a\x1b[31mb\nc\x7f"), "a\\x1b[31mb\\x0ac\\x7f");
  EXPECT_EQ(printable("caf\xe9!"), "caf\\xe9!");
  EXPECT_EQ(printable("\xc2\x9b" "31m"), "\\xc2\\x9b31m");         // CSI as one character
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable(std::string(100, 'x'), 8), "xxxxxxxx... (100 bytes)");
  EXPECT_EQ(printable("\xf0\x9f\xa7\x80\xf0\x9f\xa7\x80", 3), "\xf0\x9f\xa7\x80... (8 bytes)");   // none is halved
}

TEST(Utf8, PrefixEndsBeforeTheFirstByteOfWhatIsIllFormed) {
  const std::string_view good[] = {"", "abc", "\xc3\xa9", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                   "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
  for (const std::string_view text : good) EXPECT_EQ(utf8_prefix(text), text.size());
  // A lone trail, overlong forms, a surrogate, above U+10FFFF, a byte of no use, cut short, a trail that is none.
  const std::string_view bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
                                  "\xf4\x90\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xe2\x82" "a"};
  for (const std::string_view text : bad) EXPECT_EQ(utf8_prefix("ab" + std::string(text)), 2u);
}

TEST(LogLimit, AFewLinesAreWrittenThenOneAnIntervalThatCountsTheRest) {
  LogLimit limit(2, 1000);
  EXPECT_EQ(limit.take(5000), "");
  EXPECT_EQ(limit.take(5001), "");
  for (int i = 0; i < 41; ++i) EXPECT_FALSE(limit.take(5500));
  EXPECT_EQ(limit.take(6001), " (and 41 more like it)");
  EXPECT_FALSE(limit.take(6002));                // still loud: one line an interval
  EXPECT_EQ(limit.take(7100), " (and 1 more like it)");
  EXPECT_EQ(limit.take(9000), "");               // quiet again
  EXPECT_EQ(limit.take(9001), "");
}

// A port of this machine; strangers() connects to it and accepts, n times. Gives how many were let in.
std::size_t strangers(std::size_t n) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  EXPECT_EQ(::listen(listener, 8), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &length);
  std::vector<int> in;
  for (std::size_t i = 0; i < n; ++i) {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    if (const int fd = ::accept4(listener, nullptr, nullptr, 0); fd >= 0) in.push_back(fd);
    ::close(client);
  }
  for (const int fd : in) ::close(fd);
  ::close(listener);
  return in.size();
}

TEST(Descriptors, TheLastAreNotForStrangersConnections) {
  raise_descriptor_limit();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 4 * kReservedDescriptors;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const std::size_t let_in = strangers(2 * few.rlim_cur);
  std::vector<int> ours;                         // the reserve, and what the strangers left when they went
  for (int fd = ::open("/dev/null", O_RDONLY); fd >= 0; fd = ::open("/dev/null", O_RDONLY)) ours.push_back(fd);
  for (const int fd : ours) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_GT(let_in, 50u);
  EXPECT_LE(let_in, few.rlim_cur - kReservedDescriptors);
  EXPECT_GE(ours.size(), let_in + kReservedDescriptors - 2);
}

}  // namespace
}  // namespace dyad
