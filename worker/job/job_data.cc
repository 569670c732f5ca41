#include "worker/job/job_data.h"

#include "common/io/safetensors.h"

namespace dyad::worker {
namespace {

torch::Tensor tensor_of(const io::Matrix& matrix) {
  return torch::from_blob(const_cast<float*>(matrix.values.data()),
                          {static_cast<std::int64_t>(matrix.rows), static_cast<std::int64_t>(matrix.cols)},
                          torch::kFloat32)
      .clone();
}

Result<data::Trie> open_trie(const std::filesystem::path& file, std::size_t items) {
  auto trie = data::Trie::load(file);
  if (!trie) {
    if (trie.error().code != Code::kNotFound) return trie.error();
    return fail(Code::kNotFound, "{}: no codes yet; make them with `dyad codes build --data {}`", file.string(),
                file.parent_path().parent_path().string());
  }
  if (trie.value().items() != items)
    return fail(Code::kInvalid, "{} holds codes of {} items, the catalogue has {}; build the codes again",
                file.string(), trie.value().items(), items);
  return trie;
}

Result<torch::Tensor> open_vectors(const std::filesystem::path& file, std::size_t items, const char* stream) {
  auto matrix = io::load_matrix(file, "embedding");
  if (!matrix) {
    if (matrix.error().code != Code::kNotFound) return matrix.error();
    return fail(Code::kNotFound, "{}: no {} vectors yet; make them with `dyad encode`", file.string(), stream);
  }
  if (matrix.value().rows != items)
    return fail(Code::kInvalid, "{} holds {} vectors, the catalogue has {} items; encode again", file.string(),
                matrix.value().rows, items);
  return tensor_of(matrix.value());
}

}  // namespace

Result<JobData> open_job_data(const std::filesystem::path& dir) {
  JobData job;
  DYAD_TRY(dataset, data::Dataset::open(dir));
  job.dataset = std::move(dataset);
  for (std::size_t s = 0; s < 2; ++s) {
    const std::string file = std::string(kStreamNames[s]) + ".safetensors";
    DYAD_TRY(trie, open_trie(dir / "codes" / file, job.dataset.items()));
    job.tries[s] = std::move(trie);
    DYAD_TRY(vectors, open_vectors(dir / "vectors" / file, job.dataset.items(), kStreamNames[s]));
    job.vectors[s] = std::move(vectors);
  }
  if (job.tries[0].levels() != job.tries[1].levels())
    return fail(Code::kInvalid, "{}: behaviour codes have {} levels, semantic codes {}; build both with the same --k",
                (dir / "codes").string(), job.tries[0].levels(), job.tries[1].levels());
  return job;
}

}  // namespace dyad::worker
