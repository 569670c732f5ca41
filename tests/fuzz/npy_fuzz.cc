// NumPy's .npy (common/io/npy.h): vectors of items that come from elsewhere.
#include "common/io/npy.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {
namespace {

// As NumPy writes version 1: the dictionary is padded to a multiple of 64 bytes.
std::string npy(const std::string& descr, const std::string& shape, std::size_t data_bytes) {
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  dict.append(64 - (10 + dict.size() + 1) % 64, ' ');
  dict += '\n';
  std::string out = "\x93NUMPY\x01";
  out.append(3, '\0');
  put_number(out, 8, static_cast<std::uint16_t>(dict.size()));
  return out + dict + std::string(data_bytes, '\x3c');
}

}  // namespace

std::vector<std::string> seeds() {
  return {npy("<f4", "2, 3", 24), npy(">f8", "3, 1", 24), npy("<f2", "4, 1", 8), npy("<f4", "0, 7", 0)};
}

void decode(std::string_view bytes) {
  const auto matrix = io::read_npy(put("x.npy", bytes));
  if (!matrix) return;
  const io::Matrix& m = matrix.value();
  CHECK(m.cols == 0 || m.values.size() / m.cols == m.rows);
  CHECK_LE(m.values.size(), bytes.size() / 2);
  const auto again = io::read_npy(put("y.npy", npy("<f4", fmt::format("{}, {}", m.rows, m.cols), 0) +
                                                   std::string(reinterpret_cast<const char*>(m.values.data()),
                                                               m.values.size() * sizeof(float))));
  CHECK(again.has_value() && again.value().rows == m.rows && again.value().cols == m.cols);
  CHECK(m.values.empty() ||
        std::memcmp(again.value().values.data(), m.values.data(), m.values.size() * sizeof(float)) == 0);
}

}  // namespace dyad::fuzz
