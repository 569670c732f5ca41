#include "worker/job/job_data.h"

namespace dyad::worker {

Result<JobData> open_job_data(const std::filesystem::path& dir) {
  JobData job;
  DYAD_TRY(dataset, data::Dataset::open(dir));
  job.dataset = std::move(dataset);
  for (std::size_t s = 0; s < 2; ++s) {
    DYAD_TRY(trie, data::open_codes(dir, data::kStreams[s], job.dataset.items()));
    job.tries[s] = std::move(trie);
  }
  if (job.tries[0].levels() != job.tries[1].levels())
    return fail(Code::kInvalid, "{}: behaviour codes have {} levels, semantic codes {}; build both with the same --k",
                (dir / "codes").string(), job.tries[0].levels(), job.tries[1].levels());
  return job;
}

Result<torch::Tensor> read_vectors(const std::filesystem::path& dir, const std::string& stream, std::size_t items) {
  DYAD_TRY(file, data::ItemVectors::open(dir, stream, items));
  auto values =
      torch::empty({static_cast<std::int64_t>(file.items()), static_cast<std::int64_t>(file.width())}, torch::kFloat32);
  DYAD_TRYV(file.copy_to({values.data_ptr<float>(), file.items() * file.width()}));
  return values;
}

}  // namespace dyad::worker
