#include "worker/eval/loaded_model.h"

#include <algorithm>
#include "common/base/log.h"
#include "common/base/initial_row.h"
#include "common/ckpt/manifest.h"
#include "common/ckpt/rows_file.h"
#include "worker/model/pin_kernels.h"
#include "worker/train/dense_state.h"

namespace dyad::worker {
namespace {

// Where the model wants the row of `key`: by item, and by node.
std::size_t place_of(const JobData& data, TableId table, std::uint64_t key) {
  return table == TableId::kItem ? key : data.tries[static_cast<std::size_t>(table) - 1].node(RowKey{key}).value;
}

// Rows that no gradient has met have their initial values. Only those are drawn: drawing one costs ten times its copy.
void draw_untrained(const JobData& data, TableId table, const std::vector<bool>& trained, const config::Config& config,
                    float* rows) {
  const auto dim = static_cast<std::size_t>(config.model.dim);
  for (std::size_t key = 0; key < trained.size(); ++key)
    if (!trained[key])
      initial_row(config.job.seed, static_cast<std::uint64_t>(table), key, static_cast<float>(config.model.init_std),
                  {rows + place_of(data, table, key) * dim, dim});
}

Status read_tables(LoadedModel& loaded, const ckpt::Manifest& manifest) {
  const auto& data = loaded.data;
  const std::array<std::size_t, kTables> rows{data.dataset.items(), data.tries[0].nodes(), data.tries[1].nodes()};
  const std::size_t dim = loaded.config.model.dim;
  std::array<std::vector<bool>, kTables> trained;
  for (std::size_t t = 0; t < kTables; ++t) {
    trained[t].resize(rows[t]);
    loaded.tables[t] = torch::empty({static_cast<std::int64_t>(rows[t]), static_cast<std::int64_t>(dim)});
  }
  for (const auto& part : manifest.files) {
    if (!part.path.starts_with("rows/")) continue;
    DYAD_TRY(file, ckpt::RowsFile::open(loaded.folder / part.path));
    Status fits = ok();
    file.for_each([&](const ckpt::RowView& row) {
      const auto t = static_cast<std::size_t>(row.table);
      if (row.key.value >= rows[t] || row.value.size() != dim) {
        fits = fail(Code::kInvalid, "{}: row {} of table {} does not fit the data ({} rows of {} floats)",
                    (loaded.folder / part.path).string(), row.key, table_name(row.table), rows[t], dim);
        return;
      }
      trained[t][row.key.value] = true;
      std::copy(row.value.begin(), row.value.end(),
                loaded.tables[t].data_ptr<float>() + place_of(data, row.table, row.key.value) * dim);
    });
    DYAD_TRYV(fits);
  }
  for (std::size_t t = 0; t < kTables; ++t)
    draw_untrained(data, static_cast<TableId>(t), trained[t], loaded.config, loaded.tables[t].data_ptr<float>());
  return ok();
}

// Codes of another build fit in number and mean other items: everything would load, and recall collapse.
Status check_data(const LoadedModel& loaded, const ckpt::Manifest& manifest, const std::string& data) {
  for (std::size_t s = 0; s < 2; ++s) {
    const auto codes = manifest.codes.find(data::kStreams[s]);
    if (codes == manifest.codes.end() || codes->second != loaded.data.tries[s].digest())
      return fail(Code::kInvalid, "{} was trained with other {} codes than those of {}: name its dataset with --data",
                  loaded.folder.string(), data::kStreams[s], loaded.data.dataset.dir().string());
  }
  if (data.empty() && manifest.dataset_digest != loaded.data.dataset.digest())
    return fail(Code::kInvalid,
                "{} was trained on another log than {} holds now: name the dataset with --data to use it all the same",
                loaded.folder.string(), loaded.data.dataset.dir().string());
  return ok();
}

// As the training, so that figures of one checkpoint do not depend on who evaluates it; without its instructions, as
// well as can be.
Status pin_as_trained(const std::string& wanted) {
  const auto chosen = choose_kernels(wanted);
  if (!chosen) LOG_WARN("{}; evaluating with {}", chosen.error().message, kernels_name(best_kernels()));
  return pin_kernels(chosen ? chosen.value() : best_kernels());
}

}  // namespace

Result<LoadedModel> load_model(const std::filesystem::path& folder, const std::string& data,
                               const std::vector<std::string>& sets) {
  LoadedModel loaded;
  std::error_code error;
  loaded.folder = std::filesystem::canonical(folder, error);
  if (error) return fail(Code::kNotFound, "{}: no such checkpoint; `dyad ckpt ls` lists them", folder.string());
  DYAD_TRY(manifest, ckpt::verify(loaded.folder, ckpt::Depth::kDigests));
  loaded.step = manifest.step;
  loaded.manifest = manifest.digest;
  DYAD_TRY(config, config::load({(loaded.folder / "config.toml").string(), /*environment=*/false, sets}));
  loaded.config = std::move(config);
  DYAD_TRYV(pin_as_trained(loaded.config.train.kernels));
  DYAD_TRY(opened, open_job_data(data.empty() ? loaded.config.job.data : data));
  loaded.data = std::move(opened);
  DYAD_TRYV(check_data(loaded, manifest, data));
  ModelOptions options;
  options.model = loaded.config.model;
  options.levels = static_cast<std::int64_t>(loaded.data.tries[0].levels());
  if (options.model.gct) {
    DYAD_TRY(widths, stored_vector_widths(loaded.folder));
    options.vector_width = widths;
  }
  options.seed = loaded.config.job.seed;
  options.type = loaded.config.train.precision == "bf16" ? at::kBFloat16 : at::kFloat;
  loaded.model = std::make_unique<Eager>(options, std::array<torch::Tensor, 2>{});   // decoding asks for no losses
  DYAD_TRYV(load_dense_part(loaded.folder, *loaded.model, nullptr));
  DYAD_TRYV(read_tables(loaded, manifest));
  return loaded;
}

}  // namespace dyad::worker
