#include "common/io/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <fmt/ranges.h>
#include "common/base/printable.h"
#include "common/io/half_bits.h"
#include "common/io/mapped_file.h"

namespace dyad::io {
namespace {

struct Header {
  std::string descr;            // "<f4"
  bool fortran = false;
  std::vector<std::size_t> shape;
};

// The text after "'key':" in NumPy's dictionary literal, which its writer always prints the same way.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(fmt::format("'{}'", key));
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t colon = text.find(':', at);
  if (colon == std::string_view::npos) return std::nullopt;
  const std::size_t begin = text.find_first_not_of(' ', colon + 1);
  if (begin == std::string_view::npos) return std::nullopt;
  return text.substr(begin);
}

std::optional<std::vector<std::size_t>> parse_shape(std::string_view text) {
  const std::size_t close = text.find(')');
  if (text.empty() || text.front() != '(' || close == std::string_view::npos) return std::nullopt;
  std::vector<std::size_t> shape;
  const char* at = text.data() + 1;
  const char* end = text.data() + close;
  while (at < end) {
    if (*at == ' ' || *at == ',') { ++at; continue; }
    std::size_t n = 0;
    const auto [next, error] = std::from_chars(at, end, n);
    if (error != std::errc{}) return std::nullopt;
    shape.push_back(n);
    at = next;
  }
  return shape;
}

Result<Header> parse_header(std::string_view text, const std::string& file) {
  const auto descr = value_of(text, "descr"), fortran = value_of(text, "fortran_order"),
             shape = value_of(text, "shape");
  if (!descr || !fortran || !shape) return fail(Code::kInvalid, "{}: header lacks descr, fortran_order or shape", file);
  const auto dims = parse_shape(*shape);
  const std::size_t close = descr->find('\'', 1);
  if (!dims || descr->front() != '\'' || close == std::string_view::npos)
    return fail(Code::kInvalid, "{}: header is not what NumPy writes: {}", file, printable(text));
  return Header{std::string(descr->substr(1, close - 1)), fortran->starts_with("True"), *dims};
}

// "<f4", ">f8": the width of a float, and whether its bytes are in the other order.
struct Number { std::size_t bytes = 0; bool swapped = false; };
std::optional<Number> number_of(std::string_view descr) {
  if (descr.size() != 3 || descr[1] != 'f' || (descr[0] != '<' && descr[0] != '>' && descr[0] != '=')) return {};
  if (descr[2] != '2' && descr[2] != '4' && descr[2] != '8') return {};
  return Number{static_cast<std::size_t>(descr[2] - '0'), descr[0] == '>'};
}

float value_at(const std::byte* at, Number number) {
  std::array<std::byte, 8> bytes{};
  std::memcpy(bytes.data(), at, number.bytes);
  if (number.swapped) std::reverse(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(number.bytes));
  std::uint16_t half = 0;
  float single = 0;
  double wide = 0;
  if (number.bytes == 2) { std::memcpy(&half, bytes.data(), 2); return half_to_float(half); }
  if (number.bytes == 4) { std::memcpy(&single, bytes.data(), 4); return single; }
  std::memcpy(&wide, bytes.data(), 8);
  return static_cast<float>(wide);
}

Status check_shape(const Header& header, const std::string& file) {
  if (header.shape.size() == 2) return ok();
  const char* advice = header.shape.size() == 1 ? "; a row of numbers an item is wanted, array.reshape(items, -1)" : "";
  return fail(Code::kInvalid, "{}: an array of shape ({}), wanted (rows, width){}", file,
              fmt::join(header.shape, ", "), advice);
}

}  // namespace

Result<Matrix> read_npy(const std::filesystem::path& path) {
  DYAD_TRY(file, MappedFile::open(path));
  const std::string name = path.string();
  const std::string_view text = file.text();
  if (text.size() < 12 || !text.starts_with("\x93NUMPY")) return fail(Code::kInvalid, "{}: no .npy file", name);
  const int version = static_cast<unsigned char>(text[6]);
  if (version < 1 || version > 3) return fail(Code::kInvalid, "{}: .npy version {}; 1 to 3 are read", name, version);
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, text.data() + 8, version == 1 ? 2 : 4);
  const std::size_t begin = version == 1 ? 10 : 12;
  if (header_bytes > text.size() - begin) return fail(Code::kInvalid, "{}: truncated inside its header", name);
  DYAD_TRY(header, parse_header(text.substr(begin, header_bytes), name));
  const auto number = number_of(header.descr);
  if (!number)
    return fail(Code::kInvalid, "{}: dtype {}; floats of 2, 4 or 8 bytes are read: array.astype('float32')", name,
                printable(header.descr));
  DYAD_TRYV(check_shape(header, name));
  Matrix out{header.shape[0], header.shape[1], {}};
  std::size_t count = 0, bytes = 0;
  const std::span<const std::byte> data = file.bytes().subspan(begin + header_bytes);
  if (__builtin_mul_overflow(out.rows, out.cols, &count) || __builtin_mul_overflow(count, number->bytes, &bytes) ||
      bytes != data.size())
    return fail(Code::kInvalid, "{}: [{}, {}] of {} does not fill its {} bytes: truncated?", name, out.rows, out.cols,
                header.descr, data.size());
  out.values.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = header.fortran ? i % out.cols * out.rows + i / out.cols : i;   // column after column
    out.values[i] = value_at(data.data() + place * number->bytes, *number);
  }
  return out;
}

}  // namespace dyad::io
