#include "worker/model/batch_tensors.h"

namespace dyad::worker {
namespace {

template <class T> at::Tensor tensor_of(const std::vector<T>& values, at::Device device) {
  const auto type = sizeof(T) == 8 ? at::kLong : at::kInt;
  return at::from_blob(const_cast<T*>(values.data()), {static_cast<std::int64_t>(values.size())}, type)
      .clone()
      .to(device);
}

std::int64_t place_of_slot(std::int64_t slot, std::int64_t levels, bool summary) {   // in SOS, y_1 .. y_L, EOS
  if (!summary || slot < levels) return slot;
  return slot == levels ? levels + 1 : levels;
}

void pack_histories(const Batch& batch, BatchTensors& out, at::Device device) {
  std::vector<std::int32_t> token, position, begin;
  for (std::size_t b = 0; b < batch.size; ++b) {
    begin.push_back(static_cast<std::int32_t>(token.size()));
    const std::int32_t* row = batch.history.data() + b * batch.length;
    for (std::size_t t = 0; t < batch.length; ++t) {
      if (row[t] < 0) continue;
      token.push_back(row[t]);
      position.push_back(static_cast<std::int32_t>(batch.length - 1 - t));
    }
  }
  out.token = tensor_of(token, device);
  out.position = tensor_of(position, device);
  out.begin = tensor_of(begin, device);
  out.size = tensor_of(batch.history_size, device);
  for (const std::int32_t n : batch.history_size) out.longest = std::max<std::int64_t>(out.longest, n);
}

StreamTensors pack_stream(const Batch& batch, const StreamBatch& stream, bool summary, at::Device device) {
  const auto levels = static_cast<std::int64_t>(batch.levels), slots = decoder_slots(levels, summary);
  const auto size = static_cast<std::int64_t>(batch.size);
  std::vector<std::int32_t> token;
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    const std::int64_t place = place_of_slot(slot, levels, summary);
    for (std::int64_t b = 0; b < size; ++b)
      token.push_back(place == 0 ? -1 : place == levels + 1 ? -2 : stream.code[b * levels + place - 1]);
  }
  StreamTensors out{tensor_of(token, device), {}};
  const auto column = [&](const std::vector<std::int32_t>& x, std::int64_t level) {
    std::vector<std::int32_t> values;
    for (std::int64_t b = 0; b < size; ++b) values.push_back(x[b * levels + level]);
    return tensor_of(values, device);
  };
  for (std::int64_t l = 0; l < levels; ++l)
    out.level.push_back({column(stream.child_begin, l), column(stream.child_end, l), column(stream.code, l)});
  return out;
}

// The codes that each of the 3B sequences shows: [3B, L].
std::vector<std::int32_t> transfer_codes(const Batch& batch) {
  const TransferBatch& t = batch.transfer;
  const std::size_t levels = batch.levels, all = batch.size * levels;
  std::vector<std::int32_t> codes;
  for (int run = 0; run < 3; ++run) codes.insert(codes.end(), batch.stream[0].code.begin(), batch.stream[0].code.end());
  for (std::size_t i = 0; i < t.masked.size(); ++i) codes[i / t.masked_count * levels + t.masked[i]] = -2;
  for (std::size_t i = 0; i < t.replaced.size(); ++i)
    codes[2 * all + i / t.replaced_count * levels + t.replaced[i]] = t.replacement[i];
  return codes;
}

void pack_queries(const Batch& batch, TransferTensors& out, at::Device device) {
  const TransferBatch& t = batch.transfer;
  const auto size = static_cast<std::int64_t>(batch.size), count = static_cast<std::int64_t>(t.masked_count);
  std::vector<std::int64_t> query, sample;
  std::vector<std::int32_t> begin, number;
  for (std::int64_t i = 0; i < size * count; ++i) {
    query.push_back((t.masked[i] + 1) * 3 * size + i / count);
    sample.push_back(i / count);
  }
  for (std::int64_t i = size; i < 3 * size; ++i) {             // CLS is slot 0
    query.push_back(i);
    sample.push_back(i % size);
  }
  for (std::int64_t i = 0; i < 3 * size; ++i) {
    begin.push_back(static_cast<std::int32_t>(i < size ? i * count : size * count + i - size));
    number.push_back(static_cast<std::int32_t>(i < size ? count : 1));
  }
  out.query = tensor_of(query, device);
  out.query_sample = tensor_of(sample, device);
  out.query_begin = tensor_of(begin, device);
  out.query_size = tensor_of(number, device);
}

void pack_masked(const Batch& batch, TransferTensors& out, at::Device device) {
  const TransferBatch& t = batch.transfer;
  std::vector<std::int32_t> begin, end, code;
  std::vector<std::int64_t> candidates;
  for (std::size_t i = 0; i < t.masked.size(); ++i) {
    const std::size_t at = i / t.masked_count * batch.levels + t.masked[i];
    begin.push_back(batch.stream[0].child_begin[at]);
    end.push_back(batch.stream[0].child_end[at]);
    code.push_back(batch.stream[0].code[at]);
    candidates.push_back(code.back());
    for (std::size_t j = 0; j < t.negative_count; ++j) candidates.push_back(t.negative[i * t.negative_count + j]);
  }
  out.masked = {tensor_of(begin, device), tensor_of(end, device), tensor_of(code, device)};
  if (t.negative_count > 0)
    out.negative = tensor_of(candidates, device).view({-1, static_cast<std::int64_t>(1 + t.negative_count)});
}

TransferTensors pack_transfer(const Batch& batch, at::Device device) {
  TransferTensors out;
  const std::vector<std::int32_t> codes = transfer_codes(batch);
  std::vector<std::int32_t> token, position;
  for (std::size_t slot = 0; slot <= batch.levels; ++slot)
    for (std::size_t i = 0; i < 3 * batch.size; ++i) {
      token.push_back(slot == 0 ? -1 : codes[i * batch.levels + slot - 1]);
      position.push_back(static_cast<std::int32_t>(slot));
    }
  out.token = tensor_of(token, device);
  out.position = tensor_of(position, device);
  pack_queries(batch, out, device);
  pack_masked(batch, out, device);
  return out;
}

}  // namespace

std::int64_t decoder_slots(std::int64_t levels, bool summary) { return summary ? levels + 2 : levels; }

std::vector<std::uint32_t> causal_slots(std::int64_t levels, bool summary) {
  std::vector<std::uint32_t> visible;
  for (std::int64_t i = 0; i < decoder_slots(levels, summary); ++i) {
    std::uint32_t mask = 0;
    for (std::int64_t j = 0; j < decoder_slots(levels, summary); ++j)
      if (place_of_slot(j, levels, summary) <= place_of_slot(i, levels, summary)) mask |= 1u << j;
    visible.push_back(mask);
  }
  return visible;
}

BatchTensors make_tensors(const Batch& batch, std::array<bool, 2> summary, at::Device device) {
  BatchTensors out;
  const auto levels = static_cast<std::int64_t>(batch.levels), size = static_cast<std::int64_t>(batch.size);
  pack_histories(batch, out, device);
  std::vector<std::int32_t> place;
  const bool any = summary[0] || summary[1];
  for (std::int64_t slot = 0; slot < decoder_slots(levels, any); ++slot)
    place.insert(place.end(), size, static_cast<std::int32_t>(place_of_slot(slot, levels, any)));
  out.slot_position = tensor_of(place, device);
  for (int s = 0; s < 2; ++s) out.stream[s] = pack_stream(batch, batch.stream[s], summary[s], device);
  if (batch.transfer.masked_count > 0) out.transfer = pack_transfer(batch, device);
  std::vector<std::int64_t> target;
  for (const ItemId item : batch.target) target.push_back(item.value);
  out.target = tensor_of(target, device);
  return out;
}

}  // namespace dyad::worker
