#include "common/config/same_keys.h"

#include "common/config/keys.h"

namespace dyad::config {

namespace {

template <class Counts> std::string changed(const Config& before, const Config& now, Counts counts) {
  std::string text;
  for (const Key& key : keys()) {
    const std::string was = value_text(key, before), is = value_text(key, now);
    if (counts(key) && was != is)
      text += fmt::format("{}{} ({}, now {})", text.empty() ? "" : ", ", key.full_name(), was, is);
  }
  return text;
}

}  // namespace

std::string changed_keys(const Config& before, const Config& now) {
  return changed(before, now, [](const Key& key) { return key.decides_result(); });
}

std::string changed_model_keys(const Config& before, const Config& now) {
  return changed(before, now, [](const Key& key) { return key.decides == Decides::kModel; });
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
