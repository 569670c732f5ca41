#include "tools/prepare/codes/build.h"
#include <algorithm>
#include <cmath>
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/data/item_files.h"
#include "tools/prepare/codes/kmeans.h"
#include "tools/prepare/codes/vectors.h"

namespace dyad::codes {
namespace {

Status check_options(const BuildOptions& o) {
  if (o.k < 2 || o.k > 65535) return fail(Code::kInvalid, "k is {}; codes need 2 to 65535 children a cluster", o.k);
  if (o.rounds < 1 || o.rounds > 1000) return fail(Code::kInvalid, "rounds is {}; give 1 to 1000", o.rounds);
  if (o.threads < 1) return fail(Code::kInvalid, "threads is 0; give at least 1");
  return ok();
}

}  // namespace

Result<Embedding> load_embedding(const data::Dataset& dataset, Stream stream) {
  DYAD_TRY(vectors, data::ItemVectors::open(dataset, stream_name(stream)));
  Embedding out;
  out.rows = Matrix(vectors.items(), vectors.width());
  DYAD_TRYV(vectors.copy_to(out.rows.values));
  out.digest = digest64(std::as_bytes(std::span(out.rows.values)));
  for (std::uint32_t i = 0; i < out.rows.rows; ++i) {
    const std::span row(out.rows.row(i), out.rows.cols);
    for (const float value : row)
      if (!std::isfinite(value))
        return fail(Code::kInvalid, "{}: the vector of item {} ({}) holds {}, no finite number; encode the items again",
                    vectors.path().string(), i, dataset.item(ItemId{i}).key, value);
    if (std::ranges::all_of(row, [](float value) { return value == 0; })) out.zeros.push_back(ItemId{i});
  }
  return out;
}

std::string zeros_text(const data::Dataset& dataset, const std::vector<ItemId>& zeros) {
  std::string keys;
  for (std::size_t i = 0; i < std::min<std::size_t>(zeros.size(), 5); ++i)
    keys += (i > 0 ? ", " : "") + dataset.item(zeros[i]).key;
  return fmt::format("{} of {} items have a vector of zeros ({}{}): they are placed in the code tree by lot",
                     zeros.size(), dataset.items(), keys, zeros.size() > 5 ? ", ..." : "");
}

Result<BuildFacts> build_codes(const data::Dataset& dataset, Stream stream, const BuildOptions& options) {
  DYAD_TRYV(check_options(options));
  const double start = steady_now_s();
  DYAD_TRY(embedding, load_embedding(dataset, stream));
  BuildFacts facts{.items = embedding.rows.rows, .width = embedding.rows.cols, .zeros = std::move(embedding.zeros)};
  const Matrix rows = prepare_for_clustering(std::move(embedding.rows), options.pca, options.seed, options.threads);
  const KMeansOptions kmeans{
      .k = options.k, .seed = options.seed, .rounds = options.rounds, .threads = options.threads};
  const Codes codes = hierarchical_codes(rows, kmeans, options.progress);
  const auto before = data::open_codes(dataset, stream_name(stream));
  const auto path = codes_file(dataset.dir(), stream);
  std::error_code none;
  facts.replaced = std::filesystem::exists(path, none);
  if (before) {
    DYAD_TRY(now, data::Trie::build(codes.values, codes.levels));
    facts.replaced = now.digest() != before.value().trie.digest();
  }
  DYAD_TRYV(data::write_codes(path, dataset.keys_digest(), codes.values, codes.levels,
                              {{"k", std::to_string(options.k)},
                               {"seed", std::to_string(options.seed)},
                               {"pca", std::to_string(options.pca)},
                               {"rounds", std::to_string(options.rounds)},
                               {"vectors", hex64(embedding.digest)}}));
  facts.levels = codes.levels;
  facts.seconds = steady_now_s() - start;
  return facts;
}

}  // namespace dyad::codes
