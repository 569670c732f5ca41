#include "tools/codes/build.h"
#include <cmath>
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/io/files.h"
#include "common/io/matrix.h"
#include "common/io/safetensors.h"
#include "tools/codes/kmeans.h"
#include "tools/codes/vectors.h"

namespace dyad::codes {
namespace {

Status check_options(const BuildOptions& o) {
  if (o.k < 2 || o.k > 65535) return fail(Code::kInvalid, "k is {}; codes need 2 to 65535 children a cluster", o.k);
  if (o.rounds < 1 || o.rounds > 1000) return fail(Code::kInvalid, "rounds is {}; give 1 to 1000", o.rounds);
  if (o.threads < 1) return fail(Code::kInvalid, "threads is 0; give at least 1");
  return ok();
}

}  // namespace

Result<Embedding> load_embedding(const std::filesystem::path& data, Stream stream) {
  const auto path = vectors_file(data, stream);
  DYAD_TRY(there, io::exists(path));
  if (!there)
    return fail(Code::kNotFound, "{}: no {} vectors; make them by `dyad encode {}` or `dyad encode import`",
                path.string(), stream_name(stream), stream == Stream::kBehaviour ? "behaviour" : "text");
  DYAD_TRY(loaded, io::load_matrix(path, "embedding"));
  Embedding out;
  out.digest = digest64(std::as_bytes(std::span(loaded.values)));
  out.rows.rows = loaded.rows;
  out.rows.cols = loaded.cols;
  out.rows.values = std::move(loaded.values);
  for (std::size_t i = 0; i < out.rows.values.size(); ++i)
    if (!std::isfinite(out.rows.values[i]))
      return fail(Code::kInvalid, "{}: the vector of item {} holds {}, no finite number; encode the items again",
                  path.string(), i / loaded.cols, out.rows.values[i]);
  return out;
}

Result<BuildFacts> build_codes(const std::filesystem::path& data, Stream stream, std::size_t items,
                               const BuildOptions& options) {
  DYAD_TRYV(check_options(options));
  const double start = steady_now_s();
  DYAD_TRY(embedding, load_embedding(data, stream));
  if (embedding.rows.rows == 0 || (items > 0 && embedding.rows.rows != items))
    return fail(Code::kInvalid, "{}: {} rows for {} items; encode the items of this dataset again",
                vectors_file(data, stream).string(), embedding.rows.rows, items);
  BuildFacts facts{.items = embedding.rows.rows, .width = embedding.rows.cols};
  const Matrix rows = prepare_for_clustering(std::move(embedding.rows), options.pca, options.seed, options.threads);
  const KMeansOptions kmeans{
      .k = options.k, .seed = options.seed, .rounds = options.rounds, .threads = options.threads};
  const Codes codes = hierarchical_codes(rows, kmeans, options.progress);
  const io::Metadata metadata{{"format", "dyad-codes-1"},
                              {"k", std::to_string(options.k)},
                              {"seed", std::to_string(options.seed)},
                              {"pca", std::to_string(options.pca)},
                              {"rounds", std::to_string(options.rounds)},
                              {"vectors", hex64(embedding.digest)}};
  DYAD_TRYV(io::write_safetensors(codes_file(data, stream),
                                  {{"codes", io::make_tensor<std::int32_t>({codes.items, codes.levels}, codes.values)}},
                                  metadata));
  facts.levels = codes.levels;
  facts.seconds = steady_now_s() - start;
  return facts;
}

}  // namespace dyad::codes
