#include "common/config/same_keys.h"

#include "common/config/keys.h"

namespace dyad::config {

std::string changed_keys(const Config& before, const Config& now) {
  std::string text;
  for (const Key& key : keys()) {
    const std::string was = value_text(key, before), is = value_text(key, now);
    if (key.decides == Decides::kResult && was != is)
      text += fmt::format("{}{} ({}, now {})", text.empty() ? "" : ", ", key.full_name(), was, is);
  }
  return text;
}

Status check_same_keys(const std::filesystem::path& file, const Config& now) {
  DYAD_TRY(before, load({file.string(), /*environment=*/false, {}}));
  const std::string changed = changed_keys(before, now);
  if (changed.empty()) return ok();
  return fail(Code::kInvalid,
              "keys that decide the result differ from {}: {}; resume with the same values, or start a new job with "
              "another job.dir",
              file.string(), changed);
}

}  // namespace dyad::config
