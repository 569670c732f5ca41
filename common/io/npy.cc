#include "common/io/npy.h"

#include <charconv>
#include <cstring>
#include <optional>
#include "common/base/printable.h"
#include "common/io/half.h"

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

float value_at(const std::byte* at, std::size_t bytes) {
  std::uint16_t half = 0;
  float single = 0;
  double wide = 0;
  if (bytes == 2) { std::memcpy(&half, at, 2); return half_to_float(half); }
  if (bytes == 4) { std::memcpy(&single, at, 4); return single; }
  std::memcpy(&wide, at, 8);
  return static_cast<float>(wide);
}

}  // namespace

Result<Matrix> read_npy(const std::filesystem::path& path) {
  DYAD_TRY(file, MappedFile::open(path));
  const std::string name = path.string();
  const std::string_view text = file.text();
  if (text.size() < 12 || !text.starts_with("\x93NUMPY")) return fail(Code::kInvalid, "{}: no .npy file", name);
  const int version = text[6];
  if (version != 1 && version != 2) return fail(Code::kInvalid, "{}: .npy version {}; 1 and 2 are read", name, version);
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, text.data() + 8, version == 1 ? 2 : 4);
  const std::size_t begin = version == 1 ? 10 : 12;
  if (header_bytes > text.size() - begin) return fail(Code::kInvalid, "{}: truncated inside its header", name);
  DYAD_TRY(header, parse_header(text.substr(begin, header_bytes), name));
  const std::size_t each = header.descr == "<f2" ? 2 : header.descr == "<f4" ? 4 : header.descr == "<f8" ? 8 : 0;
  if (each == 0) return fail(Code::kInvalid, "{}: dtype {}; <f2, <f4 and <f8 are read", name,
                             printable(header.descr));
  if (header.shape.empty() || header.shape.size() > 2)
    return fail(Code::kInvalid, "{}: {} dimensions, wanted [rows, width]", name, header.shape.size());
  Matrix out{header.shape[0], header.shape.size() == 2 ? header.shape[1] : 1, {}};
  if (header.fortran && out.cols > 1 && out.rows > 1)
    return fail(Code::kInvalid, "{}: Fortran order; save it with numpy.ascontiguousarray", name);
  std::size_t count = 0, bytes = 0;
  const std::span<const std::byte> data = file.bytes().subspan(begin + header_bytes);
  if (__builtin_mul_overflow(out.rows, out.cols, &count) || __builtin_mul_overflow(count, each, &bytes) ||
      bytes != data.size())
    return fail(Code::kInvalid, "{}: [{}, {}] of {} does not fill its {} bytes: truncated?", name, out.rows, out.cols,
                header.descr, data.size());
  out.values.resize(count);
  for (std::size_t i = 0; i < count; ++i) out.values[i] = value_at(data.data() + i * each, each);
  return out;
}

}  // namespace dyad::io
