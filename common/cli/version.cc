#include "common/cli/version.h"

#include <fmt/format.h>
#include "common/ckpt/manifest.h"
#include "common/ckpt/rows_file_layout.h"
#include "common/cli/commit.h"
#include "common/data/dataset_json.h"
#include "common/data/log_format.h"
#include "common/wire/messages.h"

namespace dyad::cli {

std::string version() {
  const std::string commit = DYAD_COMMIT;
  return commit.empty() ? DYAD_VERSION : DYAD_VERSION "+" + commit;
}

std::string version_text(const std::string& program) {
  return fmt::format("{} {}\nprotocol {}, checkpoint format {} (rows {}), dataset format {} (log {})", program,
                     version(), wire::kProtocolVersion, ckpt::kManifestVersion, ckpt::layout::kVersion,
                     data::kDatasetVersion, data::log::kVersion);
}

}  // namespace dyad::cli
