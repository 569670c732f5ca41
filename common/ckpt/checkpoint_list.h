#pragma once
// The checkpoints of a job: which there are and in what state, the newest that is whole, removal, and `best`.
// Threads: any; no state.
#include <filesystem>
#include <string>
#include <vector>
#include "common/ckpt/manifest.h"

namespace dyad::ckpt {

// kNewer: written by a Dyad newer than this one, perhaps whole: to be refused by name, never passed over as damaged.
enum class State { kValid, kIncomplete, kDamaged, kNewer };
const char* state_name(State state);
struct Listed {
  std::filesystem::path dir;
  Step step;                                       // by the folder's name
  State state = State::kIncomplete;
  std::string problem;                             // empty when valid
  Manifest manifest;                               // when valid
};
// The step-* folders, ascending by step. A missing folder lists as empty.
Result<std::vector<Listed>> list_checkpoints(const std::filesystem::path& checkpoints_dir, Depth depth);
// The newest whose digests are right; those passed over are named in warnings and put into `skipped`, newest first.
// kNotFound when there is none.
Result<Listed> newest_valid(const std::filesystem::path& checkpoints_dir, std::vector<Listed>* skipped = nullptr);

// Deletes the manifest first, so that a half-deleted checkpoint does not exist, and `best` if that is the one.
Status remove_checkpoint(const std::filesystem::path& dir);
// checkpoints/best -> step-..., replaced atomically.
Status point_best(const std::filesystem::path& checkpoints_dir, Step step);

}  // namespace dyad::ckpt
