#include "worker/job/eager_tables.h"

namespace dyad::worker {

Tables eager_tables(const config::Config& config, const JobData& data) {
  const auto f = [](double v) { return static_cast<float>(v); };
  const config::Rows& rows = config.rows;
  TableSpec table{.width = config.model.dim,
                  .seed = config.job.seed,
                  .init_std = f(config.model.init_std),
                  .optimizer = {rows.optimizer, f(rows.beta1), f(rows.beta2), f(rows.eps), f(rows.weight_decay),
                                f(rows.clip)}};
  Tables tables;
  const auto add = [&](std::string name, std::uint64_t keys) {
    table.name = std::move(name);
    table.key_end = keys;
    table.stream = tables.size();
    tables.push_back(table);
  };
  add("item", data.dataset.items());
  for (std::size_t s = 0; s < data.tries.size(); ++s)
    add(std::string("code.") + data::kStreams[s], data.tries[s].nodes());
  return tables;
}

}  // namespace dyad::worker
