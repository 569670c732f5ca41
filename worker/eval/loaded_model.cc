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
std::size_t place_of(const JobData& data, std::size_t table, std::uint64_t key) {
  return table == 0 ? key : data.tries[table - 1].node(RowKey{key}).value;
}

// Rows that no gradient has met have their initial values.
void draw_untrained(const JobData& data, std::size_t table, const TableSpec& spec, const std::vector<bool>& trained,
                    float* rows) {
  for (std::size_t key = 0; key < trained.size(); ++key)
    if (!trained[key])
      initial_row(spec.seed, spec.stream, key, spec.init_std,
                  {rows + place_of(data, table, key) * spec.width, spec.width});
}

Status check_tables(const LoadedModel& loaded, const Tables& theirs) {
  Tables ours = eager_tables(loaded.config, loaded.data);
  for (std::size_t t = 0; t < std::min(ours.size(), theirs.size()); ++t)    // how they were trained is the past
    ours[t].optimizer = theirs[t].optimizer;
  const std::string other = first_difference(theirs, ours);
  if (other.empty()) return ok();
  return fail(Code::kInvalid, "{}: its rows do not fit its configuration and data: {}", loaded.folder.string(), other);
}

Status read_tables(LoadedModel& loaded, const ckpt::Manifest& manifest) {
  const auto& data = loaded.data;
  const Tables& specs = manifest.tables;
  DYAD_TRYV(check_tables(loaded, specs));
  std::array<std::vector<bool>, kTables> trained;
  for (std::size_t t = 0; t < kTables; ++t) {
    trained[t].resize(specs[t].key_end);
    loaded.tables[t] =
        torch::empty({static_cast<std::int64_t>(specs[t].key_end), static_cast<std::int64_t>(specs[t].width)});
  }
  for (const auto& part : manifest.files) {
    if (!part.path.starts_with("rows/")) continue;
    DYAD_TRY(file, ckpt::RowsFile::open(loaded.folder / part.path));
    Status fits = ok();
    file.for_each([&](const ckpt::RowView& row) {
      const auto t = static_cast<std::size_t>(row.table);
      if (t >= kTables || row.key.value >= specs[t].key_end || row.value.size() != specs[t].width) {
        fits = fail(Code::kInvalid, "{}: row {} of table {} does not fit the checkpoint's tables",
                    (loaded.folder / part.path).string(), row.key, name_of(specs, row.table));
        return;
      }
      trained[t][row.key.value] = true;
      std::copy(row.value.begin(), row.value.end(),
                loaded.tables[t].data_ptr<float>() + place_of(data, t, row.key.value) * specs[t].width);
    });
    DYAD_TRYV(fits);
  }
  for (std::size_t t = 0; t < kTables; ++t)
    draw_untrained(data, t, specs[t], trained[t], loaded.tables[t].data_ptr<float>());
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
