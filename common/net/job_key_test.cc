#include "common/net/job_key.h"

#include <sys/wait.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <gtest/gtest.h>

namespace dyad::net {
namespace {

namespace fs = std::filesystem;

TEST(JobKey, IsReadBackGuardedAndNeverOverwritten) {
  const auto file = fs::path(testing::TempDir()) / ("job_key_" + std::to_string(getpid()));
  ASSERT_TRUE(write_job_key(file));
  EXPECT_EQ(fs::status(file).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  const auto key = read_job_key(file).value();
  EXPECT_TRUE(key.enabled());
  EXPECT_EQ(key.server_public_key, key.own.public_key);
  EXPECT_EQ(write_job_key(file).error().code, Code::kInvalid);
  EXPECT_EQ(read_job_key(file).value().own.secret_key, key.own.secret_key);
  fs::resize_file(file, fs::file_size(file) - 5);
  const auto damaged = read_job_key(file);
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().message.find(file.string() + ": the secret key"), std::string::npos)
      << damaged.error().message;
  fs::remove(file);
  EXPECT_EQ(read_job_key(file).error().code, Code::kNotFound);
  EXPECT_FALSE(read_job_key("").value().enabled());
}

TEST(JobKey, ThatOthersMayReadIsRefusedAndTheJobsOwnIsMadePrivateAgain) {
  const auto folder = fs::path(testing::TempDir()) / ("job_keys_" + std::to_string(getpid()));
  const auto file = folder / "job.key";
  ASSERT_TRUE(ensure_job_key(file));             // the folder too
  const auto made = read_job_key(file).value().own.secret_key;
  for (const auto others : {fs::perms::group_read, fs::perms::others_read, fs::perms::others_write}) {
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write | others);
    const auto refused = read_job_key(file);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInvalid);
    EXPECT_NE(refused.error().message.find("chmod 600 " + file.string()), std::string::npos) << refused.error().message;
    ASSERT_TRUE(ensure_job_key(file));
    EXPECT_EQ(read_job_key(file).value().own.secret_key, made);
  }
  fs::remove_all(folder);
}

TEST(JobKey, ThatWasCopiedThroughAnotherSystemIsRead) {
  const auto folder = fs::path(testing::TempDir()) / ("job_keys_copied_" + std::to_string(getpid()));
  const auto file = folder / "job.key";
  ASSERT_TRUE(ensure_job_key(file));
  const auto made = read_job_key(file).value();
  std::string text, line;
  for (std::ifstream in(file); std::getline(in, line);) text += line + "\r\n";
  text.resize(text.size() - 2);
  std::ofstream(file) << "\xef\xbb\xbf" << text;
  EXPECT_EQ(read_job_key(file).value().own.secret_key, made.own.secret_key);
  EXPECT_EQ(read_job_key(file).value().server_public_key, made.server_public_key);
  fs::remove_all(folder);
}

TEST(JobKey, ThatManyMakeAtOnceIsOne) {
  const auto folder = fs::path(testing::TempDir()) / ("job_keys_at_once_" + std::to_string(getpid()));
  std::vector<pid_t> makers;
  for (int i = 0; i < 8; ++i)
    if (const pid_t pid = fork(); pid != 0) {
      makers.push_back(pid);
    } else {                                     // its exit code is a byte of the key that it sees
      const bool made = ensure_job_key(folder / "job.key").has_value();
      const auto key = read_job_key(folder / "job.key");
      _exit(made && key ? key.value().own.secret_key[7] : 0);
    }
  std::set<int> seen;
  for (const pid_t pid : makers) {
    int status = 0;
    waitpid(pid, &status, 0);
    seen.insert(WEXITSTATUS(status));
  }
  EXPECT_EQ(seen, std::set<int>{read_job_key(folder / "job.key").value().own.secret_key[7]});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "a file was left behind";
  fs::remove_all(folder);
}

TEST(JobKey, WithAZeroByteWhereZeroMqWouldStopReadingIsRefused) {
  const auto file = fs::path(testing::TempDir()) / ("job_key_zero_" + std::to_string(getpid()));
  ASSERT_TRUE(write_job_key(file));
  std::fstream key(file, std::ios::in | std::ios::out | std::ios::binary);
  key.seekp(static_cast<std::streamoff>(std::string("dyad job key 1\npublic ").size()) + 35);   // 35 letters: 28 bytes
  key.put('\0');
  key.close();
  EXPECT_FALSE(read_job_key(file));
  fs::remove(file);
}

}  // namespace
}  // namespace dyad::net
