// .safetensors (common/io/safetensors.h): dense weights of a checkpoint, vectors, codes, models from elsewhere.
#include "common/io/safetensors.h"
#include <algorithm>
#include "common/io/matrix.h"
#include "common/io/safetensors_write.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> longs{-1, 1LL << 40};
  const std::vector<std::int32_t> ints{7, 8};
  const std::vector<std::uint16_t> halves{0x3c00, 0xc200};
  const auto bytes = std::as_bytes(std::span(halves));
  const std::filesystem::path file = folder() / "seed";
  CHECK(io::write_safetensors(file,
                              {{"a", io::make_tensor<float>({2, 3}, floats)},
                               {"b", io::make_tensor<std::int64_t>({2}, longs)},
                               {"c", io::make_tensor<std::int32_t>({2, 1}, ints)},
                               {"d", {io::DType::kF16, {2}, bytes}},
                               {"e", {io::DType::kBF16, {}, bytes.first(2)}},
                               {"none", io::make_tensor<float>({0, 5}, {})}},
                              {{"step", "7"}, {"k", "v \"\\ \xc3\xa9"}})
            .has_value());
  const std::string all = bytes_of(file);
  CHECK(io::write_safetensors(file, {{"c", io::make_tensor<std::int32_t>({2, 1}, ints)}}, {}, io::Seal::kDigest)
            .has_value());
  const std::string sealed = bytes_of(file);
  CHECK(io::write_safetensors(file, {}).has_value());
  return {all, sealed, bytes_of(file)};
}

void decode(std::string_view bytes) {
  const auto opened = io::Safetensors::open(put("x.safetensors", bytes));
  if (!opened) return;
  const io::Safetensors& file = opened.value();
  for (const auto& [name, tensor] : file.tensors()) {
    if (const auto floats = file.floats(name)) CHECK_EQ(floats.value().size(), tensor.count());
    if (const auto ints = file.ints(name)) CHECK_EQ(ints.value().size(), tensor.count());
    if (const auto longs = file.longs(name)) CHECK_EQ(longs.value().size(), tensor.count());
    (void)io::load_matrix(file.path(), name);
  }
  (void)file.tensor("no such name");
  CHECK(io::write_safetensors(folder() / "y", file.tensors(), file.metadata()).has_value());
  const auto again = io::Safetensors::open(folder() / "y");
  CHECK(again.has_value() && again.value().metadata() == file.metadata());
  CHECK(std::ranges::equal(again.value().tensors(), file.tensors(), [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.dtype == b.second.dtype && a.second.shape == b.second.shape &&
           std::ranges::equal(a.second.bytes, b.second.bytes);
  }));
}

}  // namespace dyad::fuzz
