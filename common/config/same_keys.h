#pragma once
// Which keys that decide the result changed between two parts of a job.
#include <filesystem>
#include <string>
#include "common/config/config.h"

namespace dyad::config {

// "train.lr (0.001, now 0.002), train.batch (64, now 128)": what `now` has otherwise than `before`. Empty: nothing.
// Of the model: only the keys that decide which weights there are and what they mean.
std::string changed_keys(const Config& before, const Config& now);
std::string changed_model_keys(const Config& before, const Config& now);
// kInvalid, naming each key with both values: `now` can't go on with what `file` (of a job or a checkpoint) began.
Status check_same_keys(const std::filesystem::path& file, const Config& now);

}  // namespace dyad::config
