#pragma once
// Commits cuts to a job's folder: config.toml and the manifest beside the staged files, then the name. Checks that
// every group's rows are among the files, so that a checkpoint with a hole never exists.
#include <filesystem>
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"
#include "coordinator/core/cuts.h"

namespace dyad::coordinator {

class CheckpointStore final : public CutStore {
 public:
  // `facts`: of every manifest of this run: job, digests, groups. `config`: the resolved file.
  CheckpointStore(std::filesystem::path job_dir, ckpt::Manifest facts, std::string config)
      : dir_(ckpt::checkpoints_dir(job_dir)), facts_(std::move(facts)), config_(std::move(config)) {}
  std::string folder(Step step) const override { return ckpt::folder_name(step); }
  std::string path(Step step) const override { return (dir_ / folder(step)).string(); }
  Result<std::uint64_t> commit(const PendingCut& cut, const Tables& tables, const ckpt::Fence& fence) override;
  void drop(Step step, const ckpt::Fence& fence) override { ckpt::remove_staging(dir_, step, fence); }
  Status remove(Step step) override { return ckpt::remove_checkpoint(dir_ / folder(step)); }
  Status point_best(Step step) override { return ckpt::point_best(dir_, step); }

 private:
  Result<std::uint64_t> check_published(const ckpt::Manifest& manifest) const;
  std::filesystem::path dir_;
  ckpt::Manifest facts_;
  std::string config_;
};

}  // namespace dyad::coordinator
