#include "coordinator/checkpoint_store.h"

#include <set>
#include "common/io/atomic_file.h"

namespace dyad::coordinator {

Status CheckpointStore::commit(const PendingCut& cut) {
  const std::filesystem::path dir = dir_ / folder(cut.step);
  ckpt::Manifest manifest = facts_;
  manifest.step = cut.step;
  manifest.epoch = cut.next.epoch;
  manifest.next_batch = cut.next.batch;
  manifest.facts = cut.facts;
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
  DYAD_TRY(config, io::write_file_atomic(dir / ckpt::kConfigName, config_));
  manifest.files.push_back({ckpt::kConfigName, config.bytes, config.digest});
  return ckpt::write_manifest(dir, std::move(manifest));
}

}  // namespace dyad::coordinator
