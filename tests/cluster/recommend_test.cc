// Recommendations of a trained model, as people and programs ask for them.
#include <gtest/gtest.h>
#include <fstream>
#include <set>
#include <sstream>
#include <nlohmann/json.hpp>
#include "common/base/result.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What `dyad recommend CHECKPOINT ARGUMENTS` answers by a shell, as lines of JSON; what is no JSON is in `said`.
struct Answers {
  int code = -1;
  std::vector<json> lines;
  std::string said;
};
Answers recommend(const std::string& arguments, const std::string& input = "") {
  const std::string command = program("dyad") + " recommend " + undisturbed().string() + " " + arguments;
  const Outcome outcome = run({"bash", "-c", input.empty() ? command : input + " | " + command});
  Answers out{outcome.code, {}, {}};
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with('{')) out.lines.push_back(json::parse(line));
    else out.said += line + "\n";
  return out;
}

fs::path file_of(const std::string& text) {
  const auto file = scratch() / "users.txt";
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

std::vector<std::string> ids(const json& answer) {
  std::vector<std::string> out;
  for (const auto& item : answer.at("items")) out.push_back(item.at("id"));
  return out;
}

TEST(ClusterRecommend, UsersOfAFileAreAnsweredInTheirOrderALineEach) {
  const Answers plain = recommend("--top 5 --users " + file_of("u3\nu1\nu7\n").string());
  ASSERT_EQ(plain.code, 0) << plain.said;
  ASSERT_EQ(plain.lines.size(), 3u) << plain.said;
  for (const auto& [i, user] : {std::pair{0u, "u3"}, {1u, "u1"}, {2u, "u7"}}) {
    EXPECT_EQ(plain.lines[i].at("user"), user);
    const Outcome alone = run({"bash", "-c", program("dyad") + " recommend " + undisturbed().string() +
                                                 " --json --top 5 2>/dev/null --user " + user});
    const json one = json::parse(alone.output);
    EXPECT_EQ(ids(plain.lines[i]), ids(one)) << "as when asked alone";
    EXPECT_EQ(plain.lines[i].at("history"), one.at("history"));
    EXPECT_EQ(ids(one).size(), 5u);
  }
  for (const std::string text : {"\xef\xbb\xbfu3\r\nu1\r\nu7", "u3\n\nu1\n\n\nu7\n\n"}) {
    const Answers same = recommend("--top 5 --users " + file_of(text).string());
    EXPECT_EQ(same.code, 0) << same.said;
    EXPECT_EQ(same.lines, plain.lines) << text;
  }
  EXPECT_EQ(recommend("--top 5 --users -", "printf 'u3\\nu1\\nu7'").lines, plain.lines) << "from standard input";
}

TEST(ClusterRecommend, AUserThatIsNotKnownGetsALineAndTheOthersTheirAnswers) {
  const Answers some = recommend("--users " + file_of("u3\nnobody \"here\"\nu1\n").string());
  EXPECT_EQ(some.code, static_cast<int>(Code::kNotFound));
  ASSERT_EQ(some.lines.size(), 3u) << some.said;
  EXPECT_EQ(some.lines[1].at("user"), "nobody \"here\"");
  EXPECT_NE(some.lines[1].at("error").get<std::string>().find("no user"), std::string::npos);
  for (const std::size_t i : {0u, 2u}) EXPECT_EQ(ids(some.lines[i]).size(), 10u);
  EXPECT_NE(some.said.find("1 of 3 users could not be answered"), std::string::npos) << some.said;
}

TEST(ClusterRecommend, UsersThatAreNoneAreOneErrorThatSaysWhatToGive) {
  const Answers nobody = recommend("--users " + file_of("\r\n\n").string());
  EXPECT_EQ(nobody.code, static_cast<int>(Code::kInvalid));
  EXPECT_NE(nobody.said.find("no user is named"), std::string::npos) << nobody.said;
  const Answers nowhere = recommend("--users " + (scratch() / "none.txt").string());
  EXPECT_EQ(nowhere.code, static_cast<int>(Code::kNotFound));
  EXPECT_NE(nowhere.said.find("none.txt"), std::string::npos) << nowhere.said;
  const Answers folder = recommend("--users " + scratch().string());
  EXPECT_EQ(folder.code, static_cast<int>(Code::kInvalid));
  EXPECT_NE(folder.said.find(scratch().string()), std::string::npos) << folder.said;
  for (const std::string both : {"--users x --user u3", "--users x --history i3", "--user u3 --history i3", ""})
    EXPECT_EQ(recommend(both).code, static_cast<int>(Code::kInvalid)) << both;
  EXPECT_TRUE(nobody.lines.empty() && nowhere.lines.empty() && folder.lines.empty());
}

// A program asks, reads the answer, and asks again: one process for all, and no answer waits for a further question.
TEST(ClusterRecommend, AProgramCanAskOneAfterTheOther) {
  const Outcome outcome = run({"bash", "-c", "coproc " + program("dyad") + " recommend " + undisturbed().string() +
      " --users - --top 3 2>/dev/null; for user in u3 u1; do echo $user >&${COPROC[1]}; read -t 30 line <&${COPROC[0]} "
      "|| exit 9; echo \"$line\"; done"});
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  std::istringstream lines(outcome.output);
  for (const char* user : {"u3", "u1"}) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(json::parse(line).at("user"), user);
  }
}

TEST(ClusterRecommend, WhatTheUserHasHadIsLeftOutOnRequest) {
  const auto users = file_of("u3\nu1\nu7\nu9\n").string();
  const Answers keep = recommend("--top 40 --users " + users);
  const Answers drop = recommend("--seen drop --top 40 --users " + users);
  ASSERT_EQ(drop.code, 0) << drop.said;
  ASSERT_EQ(drop.lines.size(), 4u);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < drop.lines.size(); ++i) {
    std::set<std::string> past;
    for (const auto& item : keep.lines[i].at("history")) past.insert(item.get<std::string>());
    std::vector<std::string> fresh;
    for (const auto& item : keep.lines[i].at("items")) {
      EXPECT_EQ(item.at("seen").get<bool>(), past.count(item.at("id").get<std::string>()) > 0) << item;
      seen += item.at("seen").get<bool>();
    }
    for (const auto& item : drop.lines[i].at("items")) EXPECT_FALSE(item.at("seen").get<bool>()) << item;
    EXPECT_EQ(ids(drop.lines[i]).size(), 40u) << "others take their places";
  }
  EXPECT_GT(seen, 0u) << "or this test says nothing";
  const std::string first = ids(keep.lines[0]).at(0);              // it comes first whoever asks, or nearly
  const Answers typed = recommend("--top 60 --history " + first);
  const Answers without = recommend("--seen drop --top 60 --history " + first);
  EXPECT_EQ(without.code, 0) << without.said;
  EXPECT_NE(typed.said.find("of them are in the history"), std::string::npos) << typed.said;
  EXPECT_EQ(without.said.find("of them are in the history"), std::string::npos) << without.said;
  EXPECT_EQ(recommend("--seen maybe --user u3").code, static_cast<int>(Code::kInvalid));
}

}  // namespace
}  // namespace dyad::tests
