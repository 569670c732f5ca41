#include "coordinator/journal/checkpoint_store.h"

#include <algorithm>
#include <set>
#include "common/io/atomic_file.h"

namespace dyad::coordinator {

// A coordinator that was killed after the folder had its name, and before its journal said so, is given the parts
// again.
Result<std::uint64_t> CheckpointStore::check_published(const ckpt::Manifest& manifest) const {
  const std::filesystem::path dir = dir_ / folder(manifest.step);
  DYAD_TRY(there, ckpt::read_manifest(dir));
  const auto is_there = [&](const ckpt::ManifestFile& file) {
    return std::find(there.files.begin(), there.files.end(), file) != there.files.end();
  };
  if (std::all_of(manifest.files.begin(), manifest.files.end(), is_there)) return there.digest;
  return fail(Code::kFailed, "cut {} can't be committed: its files are gone, and {} has others", manifest.step,
              dir.string());
}

Result<std::uint64_t> CheckpointStore::commit(const PendingCut& cut, const Tables& tables, const ckpt::Fence& fence) {
  const std::filesystem::path dir = ckpt::staging_folder(dir_, cut.step, fence);
  ckpt::Manifest manifest = facts_;
  manifest.step = cut.step;
  manifest.epoch = cut.next.epoch;
  manifest.next_batch = cut.next.batch;
  manifest.facts = cut.facts;
  manifest.tables = tables;
  if (tables.empty()) return fail(Code::kFailed, "cut {} can't be committed: no worker has said its tables", cut.step);
  std::set<std::string> paths;
  const auto add = [&](const std::vector<wire::FilePart>& files) {
    for (const wire::FilePart& file : files) {
      manifest.files.push_back({file.path, file.bytes, file.digest});
      paths.insert(file.path);
    }
  };
  for (const auto& [server, files] : cut.servers) add(files);
  add(cut.worker);
  for (std::uint32_t group = 0; group < manifest.groups; ++group)
    if (const auto name = fmt::format("rows/g{:04}.rows", group); !paths.count(name))
      return fail(Code::kFailed, "cut {} can't be committed: no server wrote {}", cut.step, name);
  std::error_code ignored;
  if (!std::filesystem::exists(dir, ignored)) return check_published(manifest);
  DYAD_TRY(config, io::write_file_atomic(dir / ckpt::kConfigName, config_));
  manifest.files.push_back({ckpt::kConfigName, config.bytes, config.digest});
  paths.insert(ckpt::kConfigName);
  DYAD_TRY(digest, ckpt::write_manifest(dir, std::move(manifest)));
  DYAD_TRYV(ckpt::publish(dir_, cut.step, fence, {paths.begin(), paths.end()}));
  ckpt::sweep_staging(dir_, {fence, cut.step});
  return digest;
}

}  // namespace dyad::coordinator
