#pragma once
// The folder of a sentence encoder as a place on disk: whether it is there and whole, and what in it would change the
// vectors although nothing here reads it. No LibTorch.
#include <filesystem>
#include <vector>
#include "common/base/result.h"

namespace dyad::encode {

// Fails with kNotFound if there is no such folder: a hub id is none.
Status check_is_folder(const std::filesystem::path& dir);

// Fails with kInvalid if `file` is what git leaves in the place of a large file that was not fetched.
Status check_is_fetched(const std::filesystem::path& file);

// Fails with kInvalid naming an adapter, another architecture's sentence_*_config.json, or a numbered module folder
// ("2_Dense") that is none of `read`.
Status check_nothing_unread(const std::filesystem::path& dir, const std::vector<std::filesystem::path>& read);

}  // namespace dyad::encode
