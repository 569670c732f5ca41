#include "coordinator/journal/init_from.h"

#include <algorithm>
#include "common/base/digest.h"
#include "common/config/same_keys.h"
#include "common/io/safetensors.h"

namespace dyad::coordinator {

namespace fs = std::filesystem;

namespace {

bool is_under(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

// Its own checkpoints come and go, and nothing is written into another job's.
Status check_apart(const fs::path& checkpoint, const fs::path& job_dir) {
  std::error_code error;
  const fs::path dir = fs::weakly_canonical(job_dir, error);
  if (error) return fail(Code::kInvalid, "job.dir {}: {}", job_dir.string(), error.message());
  if (!is_under(checkpoint, dir) && !is_under(dir, checkpoint)) return ok();
  return fail(Code::kInvalid, "job.init_from = \"{}\" and job.dir = \"{}\" lie one in the other: a new job needs a "
              "folder of its own; to go on with a job, use --resume without job.init_from", checkpoint.string(),
              dir.string());
}

// Vectors may be others, but the projections onto them have their width. Worker 0 writes them (worker/train).
Status check_widths(const fs::path& checkpoint, const ckpt::Manifest& theirs, const JobFacts& job) {
  if (job.widths.empty() || theirs.vectors == job.manifest.vectors) return ok();
  const fs::path file = checkpoint / "dense.safetensors";
  DYAD_TRY(dense, io::Safetensors::open(file));
  for (const auto& [stream, width] : job.widths) {
    DYAD_TRY(projection, dense.tensor(fmt::format("model.{}.project.weight", stream)));
    if (projection.shape.empty() || projection.shape[0] != width)
      return fail(Code::kInvalid, "{} projects onto {} vectors of {} floats, those of job.data have {}: encode to the "
                  "same width", file.string(), stream, projection.shape.empty() ? 0 : projection.shape[0], width);
  }
  return ok();
}

Status check_fits(const fs::path& checkpoint, const ckpt::Manifest& theirs, const JobFacts& job) {
  const std::string dir = checkpoint.string();
  const ckpt::Manifest& ours = job.manifest;
  DYAD_TRY(config, config::load({(checkpoint / ckpt::kConfigName).string(), /*environment=*/false, {}}));
  const std::string keys = config::changed_model_keys(config, job.config);
  if (!keys.empty())
    return fail(Code::kInvalid, "the weights of {} are of another model: {}; give these keys its values, or begin "
                "without job.init_from", dir, keys);
  if (theirs.catalogue != ours.catalogue)
    return fail(Code::kInvalid, "{} was trained on another catalogue ({}) than that of job.data ({}): its rows are of "
                "other items", dir, hex64(theirs.catalogue), hex64(ours.catalogue));
  if (theirs.codes != ours.codes)
    return fail(Code::kInvalid, "{} was trained with other item codes than those of job.data: {}; its rows are of "
                "other codes", dir, data::differing_parts(theirs.codes, ours.codes, "job.data"));
  return check_widths(checkpoint, theirs, job);
}

}  // namespace

std::string GivenWeights::words() const {
  return fmt::format("{} (manifest {})", checkpoint.string(), hex64(manifest.digest));
}

Result<GivenWeights> given_weights(const fs::path& checkpoint, const JobFacts& job, ckpt::Depth depth) {
  std::error_code error;
  GivenWeights given{fs::canonical(checkpoint, error), {}};
  if (error)
    return fail(error == std::errc::no_such_file_or_directory ? Code::kNotFound : Code::kFailed,
                "job.init_from = \"{}\": {}; give a checkpoint of another job", checkpoint.string(), error.message());
  DYAD_TRYV(check_apart(given.checkpoint, job.config.job.dir));
  DYAD_TRY(manifest, ckpt::verify(given.checkpoint, depth));
  given.manifest = std::move(manifest);
  DYAD_TRYV(check_fits(given.checkpoint, given.manifest, job));
  return given;
}

}  // namespace dyad::coordinator
