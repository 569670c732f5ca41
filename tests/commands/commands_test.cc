// What every command does with its output and its words. The commands are read out of `dyad completion`, so that a new
// one is tried, too.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>

namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string text;
};

// By bash, in a folder of its own, with the programs of this build in PATH.
Outcome sh(const std::string& command) {
  std::FILE* pipe = popen(("exec 2>&1; " + command).c_str(), "r");
  Outcome out;
  std::array<char, 4096> piece{};
  for (std::size_t n = 0; (n = fread(piece.data(), 1, piece.size(), pipe)) > 0;) out.text.append(piece.data(), n);
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

class Commands : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = testing::TempDir() + "/commands-XXXXXX";
    folder = mkdtemp(name.data());
    fs::current_path(folder);
    setenv("PATH", (std::string(DYAD_BIN) + ":" + getenv("PATH")).c_str(), 1);
    ASSERT_EQ(sh("dyad synth --out d --users 60 --items 40 --events 900 --vectors 8").code, 0);
    ASSERT_EQ(sh("mkdir job && dyad config --set job.dir=job --set job.data=d > job/config.toml").code, 0);
  }
  static void TearDownTestSuite() {
    fs::current_path("/");
    fs::remove_all(folder);
  }
  static inline fs::path folder;
};

std::vector<std::string> paths() {                       // "dyad ckpt ls"
  std::vector<std::string> out;
  std::istringstream lines(sh("dyad completion bash").text);
  for (std::string line; std::getline(lines, line);)
    if (const auto end = line.find("') words="); end != std::string::npos) out.push_back(line.substr(5, end - 5));
  return out;
}

TEST_F(Commands, HelpOfEachThatIsNotWrittenIsAnError) {
  const auto all = paths();
  ASSERT_GT(all.size(), 20u);
  for (const auto& path : all) {
    const Outcome lost = sh(path + " --help > /dev/full");
    EXPECT_EQ(lost.code, 8) << path;
    EXPECT_NE(lost.text.find("standard output could not be written"), std::string::npos) << path;
  }
  for (const char* program : {"dyad", "dyad-coordinator", "dyad-ps", "dyad-worker"})
    for (const char* word : {"--help", "--version"})
      EXPECT_EQ(sh(std::string(program) + " " + word + " > /dev/full").code, 8) << program << word;
}

// The lines after "Example:" of a help text, without their comments.
std::vector<std::string> examples_of(const std::string& help) {
  std::vector<std::string> out;
  std::istringstream lines(help);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    const bool goes_on = inside && line.starts_with(' ');              // further ones stand below the first
    inside = goes_on;
    for (const std::string head : {"Example: ", "Examples: "})
      if (const auto at = line.find(head); at != std::string::npos) inside = true, line = line.substr(at + head.size());
    line = line.substr(0, line.find("   #"));
    line.erase(0, line.find_first_not_of(' '));
    if (inside && !line.empty()) out.push_back(line);
  }
  return out;
}

// Run where what they name is there or easily missed: what is wrong with their words is said before what is missing.
TEST_F(Commands, TheExamplesOfEveryHelpAreUnderstood) {
  ASSERT_EQ(sh("mkdir -p ex/data ex/tools && cp -r d ex/data/ml-100k && cp -r job ex/run && cp job/config.toml "
               "ex/job.toml && cp -r " DYAD_SOURCE "/deploy ex/deploy && cd ex && echo 'echo no-model' > "
               "tools/fetch_data.sh && chmod +x tools/fetch_data.sh && dyad encode import --data data/ml-100k "
               "--stream behaviour data/ml-100k/vectors/semantic.safetensors").code, 0);
  auto all = paths();
  for (const char* program : {"dyad", "dyad-coordinator", "dyad-ps", "dyad-worker", "dyad-worker train",
                              "dyad-worker eval", "dyad-worker check", "dyad-worker hello"})
    all.emplace_back(program);
  std::set<std::string> tried;
  for (const auto& path : all) {
    const auto examples = examples_of(sh(path + " --help").text);
    EXPECT_FALSE(examples.empty()) << path << " --help has no example";
    bool names_itself = false;
    for (const std::string& example : examples) {
      names_itself = names_itself || example.find(path.substr(0, path.rfind(' '))) != std::string::npos;
      if (!tried.insert(example).second) continue;
      bool is_whole = false;                               // what it names is there: it runs to its end
      for (const char* whole : {"dyad codes", "dyad ckpt ls", "dyad status", "dyad config", "dyad baseline popularity",
                                "source <(dyad completion"})
        is_whole = is_whole || example.starts_with(whole);
      // Not by mpirun, whose own words are no concern here; bounded, for some would do real work.
      const std::string alone = std::regex_replace(example, std::regex("mpirun( -n [0-9]+| --bind-to none)*"), "");
      std::ofstream("ex/example.sh") << alone << "\n";
      const Outcome said = sh(std::string("cd ex && timeout -k 1 ") + (is_whole ? "60" : "4") +
                              " bash example.sh < /dev/null");
      for (const char* mistake :
           {"--help` says more", "has no option", "has no command", "unknown key", "syntax error", "unexpected EOF"})
        EXPECT_EQ(said.text.find(mistake), std::string::npos) << path << ": " << example << "\n" << said.text;
      if (is_whole) { EXPECT_EQ(said.code, 0) << example << "\n" << said.text; }
    }
    EXPECT_TRUE(names_itself) << path;
  }
}

TEST_F(Commands, WorkThatIsDoneButNotSaidIsCode8) {
  for (const std::string command :
       {"dyad synth --out d2 --users 20 --items 20 --events 200 --force", "dyad synth --out d2 --force --json",
        "dyad config", "dyad config --docs", "dyad completion bash", "dyad completion zsh", "dyad completion fish",
        "dyad man", "dyad help", "rm -f k; dyad key k", "rm -f k; dyad key k --json", "dyad ckpt ls job",
        "dyad ckpt ls job --json", "dyad status job", "dyad status job --json", "dyad baseline popularity --data d",
        "dyad baseline popularity --data d --json", "dyad codes build --data d --stream semantic --k 4",
        "dyad codes report --data d --stream semantic", "dyad codes report --data d --stream semantic --json"}) {
    EXPECT_EQ(sh(command + " > /dev/full").code, 8) << command;
    EXPECT_EQ(sh(command + " >&-").code, 8) << command;
    EXPECT_EQ(sh("bash -c '(sleep .2; " + command + ") | true; exit ${PIPESTATUS[0]}'").code, 141) << command;
  }
}

TEST_F(Commands, AResultFileOnAFullDiskIsAnError) {
  const Outcome full = sh("dyad baseline popularity --data d --output /dev/full");
  EXPECT_NE(full.code, 0) << full.text;
  const Outcome nowhere = sh("dyad baseline popularity --data d --output none/x.json");
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_NE(nowhere.text.find("none"), std::string::npos);
}

TEST_F(Commands, JsonIsAllThatIsOnStandardOutput) {
  for (const std::string command :
       {"dyad synth --out d3 --users 20 --items 20 --events 200 --force --json", "rm -f k; dyad key k --json",
        "dyad ckpt ls job --json", "dyad status job --json", "dyad baseline popularity --data d --json",
        "dyad codes build --data d --stream semantic --k 4 --json",
        "dyad codes report --data d --stream semantic --json"}) {
    const Outcome said = sh(command + " 2>/dev/null");
    EXPECT_TRUE(nlohmann::json::accept(said.text)) << command << ":\n" << said.text;
  }
  for (const std::string command : {"dyad baseline popularity --data d --json -", "dyad ckpt ls job --json x",
                                    "dyad baseline popularity --data d --output -"}) {
    EXPECT_EQ(sh(command).code, 2) << command;
    EXPECT_FALSE(fs::exists("-")) << command;
  }
}

TEST_F(Commands, MistypedWordsNameTheNearest) {
  const std::vector<std::pair<std::string, std::string>> mistakes{{"dyad trian", "dyad train"},
                                                                  {"dyad encode tex", "dyad encode text"},
                                                                  {"dyad train --confg x", "--config"},
                                                                  {"dyad synth --dat d", "no option --dat"},
                                                                  {"dyad encode text --dat d", "--data"},
                                                                  {"dyad-ps --confg x", "--config"},
                                                                  {"dyad-coordinator --resum", "--resume"},
                                                                  {"dyad-worker trian", "dyad-worker train"},
                                                                  {"dyad-worker train --confg x", "--config"},
                                                                  {"dyad help trian", "dyad train"}};
  for (const auto& [command, part] : mistakes) {
    const Outcome said = sh(command);
    EXPECT_EQ(said.code, 2) << command;
    EXPECT_NE(said.text.find(part), std::string::npos) << command << ": " << said.text;
  }
}

TEST_F(Commands, WhatIsNoJobAndNoCheckpointIsNotFound) {
  EXPECT_EQ(sh("dyad ckpt ls d").code, 3);
  EXPECT_EQ(sh("dyad ckpt ls none").code, 3);
  EXPECT_EQ(sh("dyad ckpt ls job").code, 0);
  const Outcome no_user = sh("dyad recommend job --history x");
  EXPECT_NE(no_user.code, 0);
}

// As the person's shell does it: the function is called with the words, COMPREPLY is what it offers.
std::set<std::string> offered(const std::string& line) {
  const Outcome out = sh("bash --norc -c 'source <(dyad completion bash); COMP_WORDS=(" + line +
                         "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _dyad; printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
  std::set<std::string> words;
  std::istringstream lines(out.text);
  for (std::string word; std::getline(lines, word);)
    if (!word.empty()) words.insert(word);
  return words;
}

TEST_F(Commands, BashCompletesCommandsOptionsChoicesAndKeys) {
  using Words = std::set<std::string>;
  EXPECT_EQ(offered("dyad tr"), Words{"train"});
  EXPECT_EQ(offered("dyad ckpt \"\"").count("verify"), 1u);
  EXPECT_EQ(offered("dyad ckpt \"\"").count("train"), 0u);
  EXPECT_EQ(offered("dyad eval --sp"), Words{"--split"});
  EXPECT_EQ(offered("dyad eval --split \"\""), (Words{"validation", "test"}));
  EXPECT_EQ(offered("dyad train --quiet --color a"), (Words{"auto", "always"}));
  EXPECT_EQ(offered("dyad train --set train.epo"), Words{"train.epochs="});
  EXPECT_EQ(offered("dyad help ck").count("ckpt"), 0u) << "words of help are arguments";
  EXPECT_TRUE(offered("dyad train --config \"\"").empty()) << "files are the shell's";
}

TEST_F(Commands, TheManualPageHasEveryCommandAndNoBareDot) {
  const std::string page = sh("dyad man").text;
  EXPECT_EQ(page.substr(0, 10), ".TH DYAD 1");
  for (const char* section : {".SH NAME", ".SH SYNOPSIS", ".SH COMMANDS", ".SH EXIT STATUS"})
    EXPECT_NE(page.find(section), std::string::npos) << section;
  for (const char* command : {"dyad ckpt ls", "dyad train", "dyad encode text", "dyad doctor"})
    EXPECT_NE(page.find(std::string(".SS ") + command), std::string::npos) << command;
  const std::set<std::string> known{".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi"};
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(!line.starts_with('.') || known.contains(line.substr(0, 3))) << line;
}

TEST_F(Commands, TheDoctorEndsWellHereAndSaysWhatIsWrongThere) {
  const Outcome here = sh("dyad doctor --json 2>/dev/null");
  const auto findings = nlohmann::json::parse(here.text);
  ASSERT_GT(findings.size(), 10u);
  std::set<std::string> things;
  for (const auto& f : findings) {
    things.insert(f.at("thing").get<std::string>());
    EXPECT_EQ(f.at("advice").get<std::string>().empty(), f.at("health") == "ok") << f;
  }
  for (const char* thing : {"MPI", "memory", "disk speed", "loopback", "clock", "dyad-worker"})
    EXPECT_EQ(things.count(thing), 1u) << thing;
  const Outcome wrong = sh("dyad doctor --set security.key_file=none.key");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.text.find("fail  key file"), std::string::npos) << wrong.text;
}

}  // namespace
