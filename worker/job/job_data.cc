#include "worker/job/job_data.h"

namespace dyad::worker {

Result<JobData> open_job_data(const std::filesystem::path& dir) {
  JobData job;
  DYAD_TRY(dataset, data::Dataset::open(dir));
  job.dataset = std::move(dataset);
  job.identity.dataset = job.dataset.digest();
  for (std::size_t s = 0; s < 2; ++s) {
    DYAD_TRY(codes, data::open_codes(job.dataset, data::kStreams[s]));
    job.tries[s] = std::move(codes.trie);
    job.identity.codes[data::kStreams[s]] = job.tries[s].digest();
  }
  if (job.tries[0].levels() != job.tries[1].levels())
    return fail(Code::kInvalid, "{}: behaviour codes have {} levels, semantic codes {}; build both with the same --k",
                (dir / "codes").string(), job.tries[0].levels(), job.tries[1].levels());
  return job;
}

Result<torch::Tensor> read_vectors(JobData& job, const std::string& stream) {
  DYAD_TRY(file, data::ItemVectors::open(job.dataset, stream));
  DYAD_TRY(digest, file.digest());
  job.identity.vectors[stream] = digest;
  auto values =
      torch::empty({static_cast<std::int64_t>(file.items()), static_cast<std::int64_t>(file.width())}, torch::kFloat32);
  DYAD_TRYV(file.copy_to({values.data_ptr<float>(), file.items() * file.width()}));
  return values;
}

}  // namespace dyad::worker
