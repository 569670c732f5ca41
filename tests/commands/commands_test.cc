// What every command does with its output and its words. The commands are read out of `dyad completion`, so that a new
// one is tried, too.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <algorithm>
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

// -5 was 18446744073709551611.
TEST_F(Commands, ACountBelowZeroIsRefused) {
  for (const std::string words :
       {"synth --users", "synth --items", "synth --events", "synth --seed", "synth --clusters", "synth --vectors",
        "synth --partitions", "import e --format jsonl --shuffle-ties", "import e --format jsonl --k-core",
        "import e --format jsonl --partitions"}) {
    const Outcome said = sh("dyad " + words + " -5 --out below");
    EXPECT_EQ(said.code, 2) << words;
    EXPECT_NE(said.text.find(words.substr(words.rfind("--")) + ": -5 is below 0"), std::string::npos) << said.text;
    EXPECT_FALSE(fs::exists(folder / "below"));
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

// All the work was done first, and then the code was 1. /proc takes no file of anybody, root or not.
TEST_F(Commands, WhatCannotBeWrittenIsSaidBeforeTheWork) {
  ASSERT_EQ(sh("cp -r d full && rm -rf full/codes && ln -s /proc full/codes && cp -r d bare && rm -r bare/vectors && "
               "ln -s /proc bare/vectors && printf '{\"user\": 1, \"item\": 2, \"time\": 3}\\n' > e.jsonl").code, 0);
  for (const std::string command :
       {"dyad codes build --data full --stream semantic --k 4", "dyad encode behaviour --data bare",
        "dyad encode import d/vectors/semantic.safetensors --data bare", "dyad encode text --data bare --model none",
        "dyad synth --out /proc/x", "dyad synth --out /proc/x/y/", "dyad key /proc/k",
        "dyad import --format jsonl e.jsonl --out /proc/x", "dyad import --format jsonl none.jsonl --out /proc/x",
        "dyad baseline popularity --data d --output /proc/x.json", "dyad synth --out e.jsonl/x"}) {
    const Outcome said = sh(command);
    EXPECT_EQ(said.code, 2) << command << ": " << said.text;
    EXPECT_TRUE(said.text.find("can't be written") != std::string::npos ||
                said.text.find("is no folder") != std::string::npos)
        << command << ": " << said.text;
    EXPECT_EQ(std::count(said.text.begin(), said.text.end(), '\n'), 1) << said.text;
  }
}

// A folder run/ was left behind, with nothing in it but a lock and a configuration.
TEST_F(Commands, ATrainingWithoutDataOrCodesLeavesNothingBehind) {
  ASSERT_EQ(sh("dyad synth --out plain --users 60 --items 40 --events 900").code, 0);
  for (const auto& [data, said] : {std::pair<std::string, std::string>{"nowhere", "dyad import"},
                                   {"plain", "dyad codes build --data"}}) {
    const Outcome out = sh("dyad train --set job.dir=left --set job.data=" + data);
    EXPECT_EQ(out.code, 3) << out.text;
    EXPECT_NE(out.text.find(said), std::string::npos) << out.text;
    EXPECT_FALSE(fs::exists("left"));
  }
}

TEST_F(Commands, ANumberOutOfRangeIsRefusedByItsOptionAndValue) {
  const std::string text = "dyad encode text --data d --model none ", behaviour = "dyad encode behaviour --data d ",
                    codes = "dyad codes build --data d ", sasrec = "dyad baseline sasrec --data d ";
  std::vector<std::pair<std::string, std::string>> all{
      {text + "--batch", "-3"},       {text + "--batch", "0"},        {behaviour + "--batch", "-3"},
      {behaviour + "--dim", "0"},     {behaviour + "--dim", "1"},     {behaviour + "--epochs", "-1"},
      {behaviour + "--lr", "nan"},    {behaviour + "--lr", "-1"},     {behaviour + "--row-lr", "inf"},
      {behaviour + "--scale", "0"},   {behaviour + "--dropout", "1.5"}, {behaviour + "--negatives", "0"},
      {behaviour + "--hidden", "0"},  {codes + "--k", "1"},           {codes + "--rounds", "0"},
      {sasrec + "--dropout", "nan"},  {sasrec + "--lr", "0"},         {sasrec + "--dim", "-2"},
      {sasrec + "--history", "0"},    {sasrec + "--seconds", "nan"},  {behaviour + "--dim", "8x"}};
  for (const auto& command : {text, behaviour, codes, sasrec})
    for (const char* value : {"0", "-1", "100000", "x"}) all.emplace_back(command + "--threads", value);
  for (const auto& [command, value] : all) {
    const Outcome said = sh(command + " " + value);
    EXPECT_EQ(said.code, 2) << command << " " << value << ": " << said.text;
    const std::string option = command.substr(command.rfind("--"));
    EXPECT_NE(said.text.find(option + ": " + value + " is no "), std::string::npos) << command << ": " << said.text;
  }
}

// Zeros were printed, with code 0.
TEST_F(Commands, ABaselineWithoutATestUserIsRefused) {
  ASSERT_EQ(sh("for u in 1 2 3; do for i in 1 2; do echo '{\"user\": '$u', \"item\": '$i', \"time\": '$i'}'; done; "
               "done > two.jsonl; dyad import --format jsonl two.jsonl --out two").code, 0);
  for (const std::string model : {"popularity", "sasrec"}) {
    const Outcome said = sh("dyad baseline " + model + " --data two --output two.json");
    EXPECT_EQ(said.code, 2) << said.text;
    EXPECT_NE(said.text.find("no user has a test item"), std::string::npos) << said.text;
    EXPECT_FALSE(fs::exists("two.json"));
  }
}

// Their keys were encoded as if they were texts, without a word.
TEST_F(Commands, ItemsWithoutTextAreCountedBeforeTheyAreEncoded) {
  ASSERT_EQ(sh("echo '{\"user\": 1, \"item\": \"a\", \"time\": 1}' > t.jsonl; "
               "echo '{\"user\": 1, \"item\": \"b\", \"time\": 2}' >> t.jsonl; "
               "echo '{\"key\": \"a\", \"title\": \"Rose\"}' > i.jsonl; echo '{\"key\": \"b\"}' >> i.jsonl; "
               "dyad import --format jsonl t.jsonl --out mute && "
               "dyad import --format jsonl t.jsonl --items i.jsonl --out some").code, 0);
  const Outcome none = sh("dyad encode text --data mute --model nowhere");
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.text.find("no item has a title, a brand or a category"), std::string::npos) << none.text;
  const Outcome some = sh("dyad encode text --data some --model nowhere");
  EXPECT_NE(some.text.find("1 of 2 items have no title, brand or category"), std::string::npos) << some.text;
  EXPECT_NE(some.text.find("no folder nowhere"), std::string::npos) << some.text;
}

TEST_F(Commands, WhatIsNoJobAndNoCheckpointIsNotFound) {
  EXPECT_EQ(sh("dyad ckpt ls d").code, 3);
  EXPECT_EQ(sh("dyad ckpt ls none").code, 3);
  EXPECT_EQ(sh("dyad ckpt ls job").code, 0);
  EXPECT_EQ(sh("dyad eval --follow none").code, 3);
  for (const char* command : {"dyad eval", "dyad ckpt inspect", "dyad ckpt verify", "dyad ckpt diff none",
                              "dyad recommend --user 1"})
    EXPECT_EQ(sh(std::string(command) + " none").code, 3) << command;
  // A checkpoint that is none of its job's folder, and a dataset: each is called what it is, and mpirun says nothing.
  ASSERT_EQ(sh("mkdir ckpt && cp job/config.toml ckpt && echo '{}' > ckpt/manifest.json").code, 0);
  for (const char* command : {"dyad ckpt ls ckpt", "dyad status ckpt", "dyad eval --follow ckpt",
                              "dyad train --set job.data=d --set model.gct=false --set job.dir=ckpt"}) {
    const Outcome said = sh(command);
    EXPECT_EQ(said.code, 2) << command;
    EXPECT_NE(said.text.find("is a checkpoint"), std::string::npos) << command << ": " << said.text;
  }
  for (const char* command : {"dyad eval", "dyad ckpt inspect", "dyad ckpt verify", "dyad ckpt diff d",
                              "dyad recommend --user 1", "dyad eval --follow"}) {
    const Outcome said = sh(std::string(command) + " d");
    EXPECT_EQ(said.code, 2) << command;
    EXPECT_NE(said.text.find("d is a dataset"), std::string::npos) << command << ": " << said.text;
    EXPECT_EQ(std::count(said.text.begin(), said.text.end(), '\n'), 1) << said.text;
  }
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
