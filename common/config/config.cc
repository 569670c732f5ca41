// What reads a finished configuration: printing, digest, reference.
#include "common/config/config.h"

#include <fmt/format.h>
#include "common/base/digest.h"
#include "common/config/keys.h"

namespace dyad::config {

std::string to_toml(const Config& config) {
  std::string out;
  std::string_view section;
  for (const Key& key : keys()) {
    if (key.section != section) out += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", key.section);
    section = key.section;
    out += fmt::format("{} = {}\n", key.name, value_text(key, config));
  }
  return out;
}

std::uint64_t result_digest(const Config& config) {
  std::string text;
  for (const Key& key : keys()) {
    const std::string value = value_text(key, config);
    // What is left open is told to nobody: a job begun before there was such a key is the same job.
    if (key.decides_result() && value != "\"auto\"") text += fmt::format("{}={}\n", key.full_name(), value);
  }
  return digest64(text);
}

std::string reference_markdown() {
  std::string out =
      "# Configuration\n\n"
      "One TOML file names a job. Later sources win: default < file (`--config FILE`) < environment\n"
      "(`DYAD_MODEL_DIM=64`) < `--set model.dim=64`. An unknown key or a value out of range is refused with its place\n"
      "and the nearest known name. `dyad config --file FILE` prints the resolved file; each checkpoint holds it too.\n"
      "A key marked * decides the result of a sync run: a run can be resumed only with the same values. The others\n"
      "can change between a stop and a resume.\n\n"
      "This page is printed by `dyad config --docs`; edit `common/config/keys.cc`, not the page.\n";
  std::string_view section;
  for (const Key& key : keys()) {
    if (key.section != section)
      out += fmt::format("\n## [{}]\n| key | default | allowed | meaning |\n|---|---|---|---|\n", key.section);
    section = key.section;
    out += fmt::format("| {}{} | `{}` | {} | {} |\n", key.name, key.decides_result() ? " *" : "",
                       value_text(key, Config{}), allowed_text(key), key.help);
  }
  return out;
}

}  // namespace dyad::config
