// What every program says of its command line and of output that is lost, on a program of this test's own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <array>
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include "common/cli/program.h"
#include "common/cli/tree.h"

namespace dyad::cli {
namespace {

struct Said {
  int code = 0;
  std::string out, error;
};

// A program with `ckpt ls|verify`, `train --config --data` and `eval --json --output`, run on `words`.
int run_program(std::vector<std::string> words) {
  CLI::App app{"A program for tests"};
  app.require_subcommand(1);
  auto* ckpt = app.add_subcommand("ckpt", "Checkpoints");
  ckpt->require_subcommand(1);
  for (const char* name : {"ls", "verify"}) {
    auto* leaf = ckpt->add_subcommand(name, "one of two");
    leaf->callback([] { std::puts("listed"); });
    leaf->add_option("path", "a folder")->required();
  }
  auto* train = app.add_subcommand("train", "Trains");
  train->add_option("--config", "a file");
  train->add_option("--data", "a folder")->required();
  auto* eval = app.add_subcommand("eval", "Evaluates");
  eval->add_option("checkpoint", "a folder");
  auto json = std::make_shared<bool>();
  eval->add_flag("--json", *json, "for scripts");
  eval->add_option("--output", "a file");
  words.insert(words.begin(), "/somewhere/dyad");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  return run(app, static_cast<int>(argv.size()), argv.data(), [] { return 0; });
}

Said said(std::vector<std::string> words) {
  Said all;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  all.code = run_program(std::move(words));
  std::fflush(stdout);
  all.out = testing::internal::GetCapturedStdout();
  all.error = testing::internal::GetCapturedStderr();
  return all;
}

void expect_mistake(std::vector<std::string> words, const std::string& part) {
  const std::string line = words.empty() ? "" : words.back();
  const Said all = said(std::move(words));
  EXPECT_EQ(all.code, 2) << line;
  EXPECT_EQ(all.out, "") << line;
  EXPECT_NE(all.error.find(part), std::string::npos) << line << ": " << all.error;
  EXPECT_EQ(std::count(all.error.begin(), all.error.end(), '\n'), 1) << all.error;
}

TEST(CommandLine, AMistypedCommandNamesTheNearestAtEveryLevel) {
  expect_mistake({"trian"}, "dyad: dyad has no command \"trian\"; did you mean `dyad train`?");
  expect_mistake({"trian", "--config", "x"}, "did you mean `dyad train`?");
  expect_mistake({"ckpt", "verfy", "run"}, "did you mean `dyad ckpt verify`?");
  expect_mistake({"verify", "run"}, "did you mean `dyad ckpt verify`?");
  expect_mistake({"quux"}, "its commands: ckpt, train, eval or help");
  expect_mistake({}, "dyad wants a command: ckpt, train, eval or help");
  expect_mistake({"ckpt"}, "dyad ckpt wants a command: ls or verify");
  expect_mistake({"help", "trian"}, "did you mean `dyad train`?");
}

TEST(CommandLine, AMistypedOptionNamesTheNearestThoughAnotherIsMissing) {
  expect_mistake({"train", "--confg", "x"}, "dyad train has no option --confg; did you mean --config?");
  expect_mistake({"train", "--dat=d"}, "has no option --dat; did you mean --data?");
  expect_mistake({"--confg", "x", "train"}, "dyad has no option --confg");
  expect_mistake({"train", "--zzzzzz"}, "`dyad train --help` says more");
  expect_mistake({"train"}, "--data");
  expect_mistake({"eval", "best", "--quit"}, "did you mean --quiet?");
}

TEST(CommandLine, JsonTakesNoFile) {
  expect_mistake({"eval", "best", "--json", "x.json"}, "--output FILE");
  expect_mistake({"eval", "best", "--json", "-"}, "--json prints on stdout");
}

TEST(CommandLine, HelpIsACommandAtEveryLevel) {
  EXPECT_EQ(said({"help"}).out, said({"--help"}).out);
  EXPECT_EQ(said({"help", "ckpt", "ls"}).out, said({"ckpt", "ls", "--help"}).out);
  EXPECT_EQ(said({"ckpt", "help", "ls"}).out, said({"ckpt", "ls", "--help"}).out);
  const Said all = said({"help", "train"});
  EXPECT_EQ(all.code, 0);
  EXPECT_NE(all.out.find("--config"), std::string::npos);
  EXPECT_NE(all.out.find("--quiet"), std::string::npos);
}

TEST(CommandLine, TheVersionNamesProtocolAndFormats) {
  const Said all = said({"--version"});
  EXPECT_EQ(all.code, 0);
  EXPECT_EQ(all.out.substr(0, 5), "dyad ");
  EXPECT_NE(all.out.find("protocol "), std::string::npos) << all.out;
}

// Standard output is `fd` for one command; gives its code and what it said on stderr.
Said said_into(int fd, std::vector<std::string> words) {
  std::fflush(stdout);
  Said all;
  testing::internal::CaptureStderr();
  const int before = dup(STDOUT_FILENO);
  if (fd >= 0) dup2(fd, STDOUT_FILENO);
  else close(STDOUT_FILENO);
  all.code = run_program(std::move(words));
  dup2(before, STDOUT_FILENO);
  close(before);
  std::clearerr(stdout);
  all.error = testing::internal::GetCapturedStderr();
  return all;
}

TEST(Output, OfAFullDiskIsAnErrorWhateverTheCommandPrints) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"ckpt", "ls", "run"}, {"--help"}, {"train", "--help"}, {"help", "ckpt"}, {"--version"}}) {
    const Said all = said_into(full, words);
    EXPECT_EQ(all.code, kUnwrittenExitCode) << words[0];
    EXPECT_NE(all.error.find("No space left on device"), std::string::npos) << words[0] << all.error;
  }
  EXPECT_EQ(said_into(full, {"trian"}).code, 2) << "a command that prints nothing loses nothing";
  close(full);
}

TEST(Output, OfAClosedDescriptorIsAnErrorAndGoesIntoNoFileOfOurs) {
  const Said all = said_into(-1, {"ckpt", "ls", "run"});
  EXPECT_EQ(all.code, kUnwrittenExitCode);
  EXPECT_NE(all.error.find("Bad file descriptor"), std::string::npos) << all.error;
}

TEST(Output, WithoutAReaderEndsQuietlyButNotWell) {
  std::array<int, 2> pipe_fd{};
  ASSERT_EQ(pipe(pipe_fd.data()), 0);
  close(pipe_fd[0]);
  const Said all = said_into(pipe_fd[1], {"ckpt", "ls", "run"});
  EXPECT_EQ(all.code, kNoReaderExitCode);
  EXPECT_EQ(all.error, "");
  close(pipe_fd[1]);
}

}  // namespace
}  // namespace dyad::cli
