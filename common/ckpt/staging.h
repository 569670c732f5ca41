#pragma once
// Where the files of a cut lie before it is a checkpoint: beside the checkpoints, in a folder that only the processes
// of one generation of one run know the name of.
//   <checkpoints>/.step-0000001234.<run, 16 hex digits>.<generation>/rows/g0000.rows ...
// To commit is to rename that folder to step-0000001234. So whoever belongs to another life of the job, or to a
// generation before a peer was lost, however late it wakes up, can never touch a file of a checkpoint.
// Threads: any; no state.
#include <filesystem>
#include <vector>
#include "common/base/ids.h"
#include "common/base/random_id.h"
#include "common/base/result.h"

namespace dyad::ckpt {

struct Fence {                                     // as the coordinator gave it to a process that registered
  RunId run;
  RoutingEpoch generation;
  bool operator==(const Fence&) const = default;
};

std::filesystem::path staging_folder(const std::filesystem::path& checkpoints_dir, Step step, const Fence& fence);
// Renames the folder to that of a checkpoint, and makes it durable. What is not in `paths` (relative to the folder: the
// temporaries of killed writers) is removed before, and what lies under the checkpoint's name, which is none, replaced.
Status publish(const std::filesystem::path& checkpoints_dir, Step step, const Fence& fence,
               const std::vector<std::string>& paths);

void remove_staging(const std::filesystem::path& checkpoints_dir, Step step, const Fence& fence);
struct Sweep {
  Fence living;                                    // of this fence ...
  Step after;                                      // ... cuts later than this step are still being written
};
// Removes what nobody will finish: all other staging folders. What can't be removed is named in a warning.
void sweep_staging(const std::filesystem::path& checkpoints_dir, const Sweep& sweep);
// Removes the temporary files that killed processes left in checkpoints and beside them. At a start: nobody writes.
void sweep_temporaries(const std::filesystem::path& checkpoints_dir);

}  // namespace dyad::ckpt
