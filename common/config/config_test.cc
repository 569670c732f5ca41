// Every way to give a key, and the exact words of every refusal.
#include <gtest/gtest.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include "common/config/cli.h"
#include "common/config/config.h"
#include "common/config/nearest.h"
#include "common/config/same_keys.h"
#include "common/config/keys.h"

namespace dyad::config {
namespace {

class ConfigFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    dir_ = std::filesystem::temp_directory_path() / ("dyad_config_" + test + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  Result<Config> load_text(const std::string& text, std::vector<std::string> sets = {}, bool environment = false) {
    const auto file = dir_ / "job.toml";
    std::ofstream(file) << text;
    return load({file.string(), environment, std::move(sets)});
  }
  std::string error(const std::string& text, std::vector<std::string> sets = {}, bool environment = false) {
    const auto config = load_text(text, std::move(sets), environment);
    if (config.has_value()) return "no error";
    std::string message = config.error().message;
    const auto at = message.find(dir_.string() + "/");
    if (at != std::string::npos) message.erase(at, dir_.string().size() + 1);
    return message;
  }
  std::filesystem::path dir_;
};

struct Variable {                                  // set for one scope
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  const char* name_;
};

TEST_F(ConfigFile, LaterSourcesWin) {
  EXPECT_EQ(load_text("").value().model.dim, 128u);
  const std::string file = "[model]\ndim = 64\nffn = 99\n[train]\nlr = 1\n";
  Variable dim("DYAD_MODEL_DIM", "32"), stt("DYAD_MODEL_STT", "false");
  EXPECT_EQ(load_text(file).value().model.dim, 64u);
  const auto config = load_text(file, {"model.dim=16", "job.name=a=b"}, true).value();
  EXPECT_EQ(config.model.dim, 16u);
  EXPECT_EQ(config.model.ffn, 99u);
  EXPECT_FALSE(config.model.stt);
  EXPECT_EQ(config.train.lr, 1.0);
  EXPECT_EQ(config.job.name, "a=b");
  EXPECT_EQ(load_text(file, {}, true).value().model.dim, 32u);
}

TEST_F(ConfigFile, AFileAsOtherSystemsWriteItIsRead) {
  const auto config = load_text("\xef\xbb\xbf[job]\r\nname = \"x\"\r\n[model]\r\ndim = 64").value();
  EXPECT_EQ(config.job.name, "x");
  EXPECT_EQ(config.model.dim, 64u);
}

TEST_F(ConfigFile, TheResolvedFileLoadsAsTheSameConfiguration) {
  const auto config =
      load_text("", {"train.lr=0.000123456789", "job.seed=9223372036854775807", "job.dir=a \"b\" \\c\tü",
                     "rows.eps=1e-300", "eval.rank=own", "coordinator.address=tcp://h:1"})
          .value();
  const auto again = load_text(to_toml(config)).value();
  EXPECT_EQ(to_toml(again), to_toml(config));
  EXPECT_EQ(again.job.dir, "a \"b\" \\c\tü");
  EXPECT_EQ(again.train.lr, 0.000123456789);
  EXPECT_EQ(again.job.seed, 9223372036854775807ull);
}

TEST_F(ConfigFile, TextThatTheResolvedFileCouldNotHoldIsRefused) {
  EXPECT_EQ(error("", {"job.name=caf\xe9"}), "--set job.name=caf\xe9: job.name is not UTF-8, which a configuration is");
}

TEST_F(ConfigFile, UnknownNamesAreRefusedWithTheNearest) {
  EXPECT_EQ(error("[model]\ndimm = 3\n"), "job.toml:2: unknown key model.dimm; did you mean model.dim?");
  EXPECT_EQ(error("[train]\n\nmode = \"sync\"\ndropout = 0.1\n"),
            "job.toml:4: unknown key train.dropout; did you mean model.dropout?");
  EXPECT_EQ(error("[modle]\ndim = 3\n"), "job.toml:1: unknown section [modle]; did you mean [model]?");
  EXPECT_EQ(error("[zzzzzzzz]\n"),
            "job.toml:1: unknown section [zzzzzzzz]; sections are job, model, train, rows, servers, "
            "security, coordinator, checkpoint, eval");
  EXPECT_EQ(error("seed = 3\n"), "job.toml:1: unknown key seed; did you mean job.seed?");
  EXPECT_EQ(error("[model]\nqqqqqqqq = 3\n"), "job.toml:2: unknown key model.qqqqqqqq; `dyad config` prints all keys");
  EXPECT_EQ(error("", {"train.bacth=3"}), "--set train.bacth=3: unknown key train.bacth; did you mean train.batch?");
}

TEST_F(ConfigFile, TheFirstLineInErrorIsReported) {
  EXPECT_EQ(error("[train]\nzz = 1\nbatch = 0\n[model]\naaa = 1\n"),
            "job.toml:2: unknown key train.zz; `dyad config` prints all keys");
}

TEST_F(ConfigFile, WrongTypesAndRangesNameThePlaceTheValueAndWhatIsAllowed) {
  EXPECT_EQ(error("[model]\ndim = 7\n"), "job.toml:2: model.dim = 7 is out of range; allowed: 8 to 4096");
  EXPECT_EQ(error("[model]\ndim = \"x\"\n"), "job.toml:2: model.dim = \"x\" is not an integer; allowed: 8 to 4096");
  EXPECT_EQ(error("[model]\ndim = 64.5\n"), "job.toml:2: model.dim = 64.5 is not an integer; allowed: 8 to 4096");
  EXPECT_EQ(error("[model]\ndim = [1]\n"),
            "job.toml:2: model.dim is a list, a table or a date; give one text, number or true/false");
  EXPECT_EQ(error("[model]\ndropout = 1\n"),
            "job.toml:2: model.dropout = 1 is out of range; allowed: at least 0 and less than 1");
  EXPECT_EQ(error("[model]\nmask_rate = 0\n"),
            "job.toml:2: model.mask_rate = 0 is out of range; allowed: more than 0 and at most 1");
  EXPECT_EQ(error("", {"model.replace_rate=0"}),
            "--set model.replace_rate=0: model.replace_rate = 0 is out of range; allowed: more than 0 and at most 1");
  EXPECT_EQ(error("", {"model.mask_rate=1", "model.replace_rate=0.001"}), "no error");
  EXPECT_EQ(error("[model]\ngct = 1\n"), "job.toml:2: model.gct = 1 is neither true nor false");
  EXPECT_EQ(error("[train]\nlr = 0\n"), "job.toml:2: train.lr = 0 is out of range; allowed: more than 0");
  EXPECT_EQ(error("[train]\nlr = nan\n"), "job.toml:2: train.lr = nan is out of range; allowed: more than 0");
  EXPECT_EQ(error("[train]\nmode = \"synch\"\n"),
            "job.toml:2: train.mode = \"synch\" is not allowed; allowed: sync, ssp or async (did you mean sync?)");
  EXPECT_EQ(error("[servers]\nbind = \"0.0.0.0:1\"\n"),
            "job.toml:2: servers.bind = \"0.0.0.0:1\" is not allowed; allowed: text that starts with tcp://");
  EXPECT_EQ(error("[job]\nseed = -1\n"), "job.toml:2: job.seed = -1 is out of range; allowed: at least 0");
  EXPECT_EQ(error("", {"model.dim=12x"}),
            "--set model.dim=12x: model.dim = \"12x\" is not an integer; allowed: 8 to 4096");
  EXPECT_EQ(error("", {"model.dim="}), "--set model.dim=: model.dim = \"\" is not an integer; allowed: 8 to 4096");
  EXPECT_EQ(error("", {"model.dim"}),
            "--set model.dim: no value; write --set section.key=value, e.g. --set model.dim=64");
}

TEST_F(ConfigFile, TheEnvironmentIsCheckedToo) {
  {
    Variable v("DYAD_MODEL_DIM", "big");
    EXPECT_EQ(error("", {}, true),
              "environment DYAD_MODEL_DIM: model.dim = \"big\" is not an integer; allowed: 8 to 4096");
  }
  {
    Variable v("DYAD_MODEL_DIMM", "64");
    EXPECT_EQ(error("", {}, true), "environment DYAD_MODEL_DIMM: unknown key; did you mean DYAD_MODEL_DIM?");
  }
  {
    Variable v("DYAD_TRIAN_BATCH", "64");
    EXPECT_EQ(error("", {}, true), "environment DYAD_TRIAN_BATCH: unknown key; did you mean DYAD_TRAIN_BATCH?");
  }
  Variable v("DYAD_DEPS", "somewhere");                    // of the set-up script, not a key
  EXPECT_EQ(error("", {}, true), "no error");
}

TEST_F(ConfigFile, KeysThatDoNotGoTogetherAreRefused) {
  EXPECT_EQ(error("[model]\ndim = 130\n"),
            "job.toml:2: model.dim = 130 does not go with model.heads = 4: the width must be a multiple of the heads");
  EXPECT_EQ(error("[train]\nbatch = 2\nworkers = 3\n"),
            "job.toml:2: train.batch = 2 does not go with train.workers = 3: each worker needs at least one sample of "
            "a batch; raise train.batch or lower train.workers");
  EXPECT_EQ(error("", {"servers.count=33"}),
            "--set servers.count=33: servers.groups = 32 does not go with servers.count = 33: each server needs at "
            "least one group; raise servers.groups or lower servers.count");
  EXPECT_NE(error("[servers]\nbuckets = 100\n").find("multiple of the groups"), std::string::npos);
  EXPECT_NE(error("", {"train.mode=ssp", "train.staleness=0"}).find("at least 1"), std::string::npos);
  EXPECT_NE(error("", {"servers.threads=17"}).find("servers.threads"), std::string::npos);
  EXPECT_NE(error("", {"coordinator.heartbeat_ms=8000"}).find("miss one heartbeat"), std::string::npos);
}

TEST_F(ConfigFile, AFileThatIsNotThereOrNotTomlIsNamed) {
  const auto missing = load({"/nowhere/job.toml", false, {}});
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_EQ(missing.error().message,
            "/nowhere/job.toml: cannot read the configuration file; check the path given with --config");
  EXPECT_EQ(error("[model]\ndim = = 3\n").substr(0, 22), "job.toml:2: not TOML: ");
  EXPECT_EQ(error("[model]\ndim = 64\ndim = 64\n").substr(0, 22), "job.toml:3: not TOML: ");
}

TEST(ResultDigest, ChangesWithWhatDecidesTheResultOnly) {
  const auto digest = [](std::vector<std::string> sets) {
    return result_digest(load({"", false, std::move(sets)}).value());
  };
  const auto base = digest({});
  for (const char* same :
       {"job.name=x", "job.dir=x", "job.data=x", "job.log_level=warn", "servers.count=3", "servers.bind=tcp://h:*",
        "coordinator.http=127.0.0.1:1", "eval.beams=20", "checkpoint.keep=9", "train.max_steps=10"})
    EXPECT_EQ(digest({same}), base) << same;
  for (const char* other :
       {"job.seed=2", "model.dim=64", "train.workers=1", "rows.optimizer=sgd", "train.lr=0.1", "servers.groups=64"})
    EXPECT_NE(digest({other}), base) << other;
}

TEST(Rules, PagesOnAnAddressThatOthersReachNeedAWord) {
  const auto error = [](std::vector<std::string> sets) {
    const auto config = load({"", false, std::move(sets)});
    return config ? std::string() : config.error().message;
  };
  for (const std::string key : {"coordinator.http=", "servers.http="}) {
    for (const char* open : {"0.0.0.0:80", "10.0.0.1:0", "[::]:80", "node7:80", "127.evil.example:80", ":80"}) {
      const std::string set = key + open;
      EXPECT_NE(error({set}).find("security.open_http = true"), std::string::npos) << set << ": " << error({set});
      EXPECT_EQ(error({set, "security.open_http=true"}), "");
      EXPECT_EQ(error({set, "security.trusted_network=true"}), "");
    }
    for (const char* closed : {"127.0.0.1:0", "127.1.2.3:80", "localhost:80", "[::1]:0"})
      EXPECT_EQ(error({key + closed}), "");
  }
  EXPECT_EQ(error({"servers.http="}), "") << "no pages";
}

TEST(Keys, EveryDefaultIsAllowedAndEveryKeyHasAMeaning) {
  for (const Key& key : keys()) {
    Sources sources{"", false, {}};
    Config defaults;
    std::string text = value_text(key, defaults);
    if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
    sources.sets.push_back(key.full_name() + "=" + text);
    const auto config = load(sources);
    EXPECT_TRUE(config.has_value()) << (config.has_error() ? config.error().message : "");
    EXPECT_FALSE(key.help.empty()) << key.full_name();
  }
}

TEST(Keys, AKeySpeltWrongByOneLetterIsFound) {
  EXPECT_EQ(edit_distance("batch", "bacth"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  for (const Key& key : keys()) {
    if (key.name.size() < 4) continue;
    std::string name = key.full_name();
    name.erase(name.size() - 2, 1);
    if (find_key(name)) continue;
    EXPECT_EQ(nearest_key(name), key.full_name());
  }
}

TEST(Docs, ConfigurationPageIsCurrent) {
  std::ifstream page(DYAD_SOURCE_DIR "/docs/configuration.md");
  std::stringstream text;
  text << page.rdbuf();
  EXPECT_EQ(text.str(), reference_markdown()) << "run: build/dev/bin/dyad config --docs > docs/configuration.md";
}

TEST(Examples, EveryConfigurationInDeployLoads) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DYAD_SOURCE_DIR "/deploy")) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const auto config = load({entry.path().string(), false, {}});
    EXPECT_TRUE(config.has_value()) << config.error().message;
  }
  EXPECT_GE(files, 2);
}

TEST(Options, ConfigAndSetFillTheSources) {
  CLI::App app;
  Sources sources;
  std::string positional;
  add_config_options(app, sources);
  app.add_option("checkpoint", positional);
  std::vector<std::string> arguments = {"f.toml", "--config", "here", "a.b=1",
                                        "--set",  "b.c=2",    "--set"};  // last first
  app.parse(arguments);
  EXPECT_EQ(sources.file, "f.toml");
  EXPECT_EQ(sources.sets, (std::vector<std::string>{"b.c=2", "a.b=1"}));
  EXPECT_EQ(positional, "here");
}

TEST(Config, AResumeWithOtherKeysNamesEachWithBothValues) {
  Config before, now;
  now.train.lr = 0.5;
  now.train.batch = before.train.batch + 1;
  now.job.log_level = "debug";                     // decides nothing
  const std::string text = changed_keys(before, now);
  EXPECT_NE(text.find(fmt::format("train.batch ({}, now {})", before.train.batch, now.train.batch)), std::string::npos)
      << text;
  EXPECT_NE(text.find("now 0.5"), std::string::npos) << text;
  EXPECT_EQ(text.find("log_level"), std::string::npos) << text;
  EXPECT_EQ(changed_keys(before, before), "");
  EXPECT_EQ(changed_model_keys(before, now), "");
  now.model.dim = 256;
  EXPECT_EQ(changed_model_keys(before, now), "model.dim (128, now 256)");
}

}  // namespace
}  // namespace dyad::config
