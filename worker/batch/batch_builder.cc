#include "worker/batch/batch_builder.h"
#include "common/base/random.h"
#include "common/data/samples.h"

namespace dyad::worker {

BatchOptions batch_options(const config::Model& model) {
  return {.history_max = model.history, .transfer = model.stt, .mask_rate = model.mask_rate,
          .replace_rate = model.replace_rate, .negatives = model.stt_negatives,
          .history_dropout = model.history_dropout};
}

BatchBuilder::BatchBuilder(const data::Dataset& dataset, std::span<const data::Sample> samples,
                           std::array<const data::Trie*, 2> tries, const config::Model& model, std::uint64_t seed)
    : dataset_(dataset),
      samples_(samples),
      history_max_(model.history),
      seed_(seed),
      maker_(tries, batch_options(model)) {}

Batch BatchBuilder::build(std::uint64_t epoch, std::size_t index, Step step, const data::EpochPlan& plan,
                          WorkerRank rank, std::size_t ranks) {
  std::vector<SampleView> views;
  std::uint64_t checksum = 0;
  for (const std::uint32_t i : plan.part(index, rank, ranks)) {
    const data::Sample& sample = samples_[i];
    const std::uint64_t place = mix64(sample.position.partition.value, sample.position.offset);
    views.push_back({data::history(dataset_, sample, history_max_), dataset_.sequence(sample.user)[sample.target],
                     mix64(seed_, epoch, place)});
    checksum += data::sample_checksum(sample.position);
  }
  Batch batch = maker_.make(views);
  batch.step = step;
  batch.epoch = epoch;
  batch.index = index;
  batch.global_size = plan.batch(index).size();
  batch.checksum = checksum;
  return batch;
}

}  // namespace dyad::worker
