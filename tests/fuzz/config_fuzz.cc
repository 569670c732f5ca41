// The TOML file of a job (common/config/config.h), and one --set: | set | file |.
#include "common/config/config.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  const std::string all = config::to_toml({});
  const std::string some = "[job]\nname = \"a\\u00e9\"\n[train]\nlr = 5e-4\nworkers = 3\n[rows]\nwire = 'fp16'\n";
  return {join({"model.dim=64", some}), join({"", all}), join({"train.mode=ssp", ""})};
}

void decode(std::string_view bytes) {
  const std::vector<std::string> parts = split(bytes, 2);
  config::Sources sources{put("x.toml", parts[1]).string(), false, {}};
  if (!parts[0].empty()) sources.sets.push_back(parts[0]);
  const auto first = config::load(sources);
  if (!first) return;
  const std::string text = config::to_toml(first.value());
  const auto second = config::load({put("y.toml", text).string(), false, {}});
  CHECK(second.has_value());
  CHECK(config::to_toml(second.value()) == text);
  CHECK_EQ(config::result_digest(second.value()), config::result_digest(first.value()));
}

}  // namespace dyad::fuzz
