#include "ps/shard.h"

namespace dyad::ps {

Result<std::unique_ptr<Shard>> Shard::make(const ShardOptions& options) {
  std::unique_ptr<Shard> shard(new Shard);
  shard->specs_ = options.tables;
  for (std::size_t t = 0; t < options.tables.size(); ++t) {
    const TableSpec& spec = options.tables[t];
    DYAD_TRY(optimizer, make_optimizer(spec.optimizer));
    shard->tables_.push_back(std::make_unique<RowTable>(
        TableOptions{static_cast<TableId>(t), spec.width, spec.seed, spec.init_std, spec.optimizer.clip, options.memory,
                     spec.stream},
        *optimizer));
    shard->optimizers_.push_back(std::move(optimizer));
  }
  return shard;
}

void Shard::gather(const wire::SectionView& section, std::span<const std::uint32_t> positions, wire::ValueType type,
                   std::byte* out) const {
  tables_[static_cast<std::size_t>(section.table)]->gather(section.keys, positions, type, out);
}

std::size_t Shard::apply(float learning_rate, std::span<const PushPart> pushes) {
  std::size_t rows = 0;
  std::vector<GradientRows> gradients;
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    gradients.clear();
    for (const PushPart& push : pushes)
      for (std::size_t s = 0; s < push.sections.size(); ++s) {
        const wire::SectionView& section = push.sections[s];
        if (static_cast<std::size_t>(section.table) != t || section.keys.empty()) continue;
        if (!push.split.empty() && push.split[s].empty()) continue;   // none of ours
        gradients.push_back({section.keys, section.values, push.type,
                             push.split.empty() ? std::span<const std::uint32_t>{} : push.split[s]});
      }
    if (!gradients.empty()) rows += tables_[t]->apply(learning_rate, gradients);
  }
  return rows;
}

std::shared_ptr<const ShardSnapshot> Shard::freeze(Step step) {
  auto snapshot = std::make_shared<ShardSnapshot>();
  snapshot->step = step;
  for (const auto& table : tables_) snapshot->tables.push_back(table->freeze());
  return snapshot;
}

void Shard::reserve(std::size_t groups) {
  for (const auto& table : tables_) table->reserve(table->rows() * groups);
}

std::size_t Shard::rows() const {
  std::size_t n = 0;
  for (const auto& table : tables_) n += table->rows();
  return n;
}
std::size_t Shard::bytes() const {
  std::size_t n = 0;
  for (const auto& table : tables_) n += table->bytes();
  return n;
}

}  // namespace dyad::ps
