#pragma once
// What a person names as a checkpoint -> its folder.
#include <filesystem>
#include <string>
#include <nlohmann/json.hpp>
#include "common/base/result.h"

namespace dyad::ops {

// A job's folder, its checkpoints/ or the folder above step-*: whichever was given.
std::filesystem::path checkpoints_of(const std::filesystem::path& path);
// A checkpoint is itself. For a job's folder, or its checkpoints/, kTake gives its best one and says so; kAdvise, and
// kTake where none is chosen yet, fails with kInvalid, naming what can be given. What is not there is kNotFound, what
// is none of these kInvalid, but a cut that was never finished: that is left for the reader to refuse.
enum class Best { kTake, kAdvise };
Result<std::filesystem::path> checkpoint_of(const std::filesystem::path& path, Best best);

// "a checkpoint", "a dataset" or "a file", where a job's folder is wanted; "" if it is none of these.
std::string other_kind(const std::filesystem::path& path);

// What the evaluation on the validation split left beside a checkpoint: its metrics, or null.
nlohmann::json validation_of(const std::filesystem::path& checkpoint);
std::string figure(const nlohmann::json& metrics, const char* name);       // "0.1234", "-" where there is none

}  // namespace dyad::ops
