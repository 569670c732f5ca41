#include "tools/prepare/import/text_file.h"

#include <zlib.h>
#include <algorithm>
#include <array>
#include <utility>
#include "common/base/utf8.h"

namespace dyad::importer {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kGzip = "\x1f\x8b";

// UTF-16 and UTF-32 by their marks, or by where the zeros stand in ASCII's first characters; else empty. As iconv calls
// it.
std::string_view wide_encoding(std::string_view text) {
  for (const auto& [mark, name] : {std::pair{"\xff\xfe\0\0"sv, "utf-32"sv}, std::pair{"\0\0\xfe\xff"sv, "utf-32"sv},
                                   std::pair{"\xff\xfe"sv, "utf-16"sv}, std::pair{"\xfe\xff"sv, "utf-16"sv}})
    if (text.starts_with(mark)) return name;
  std::string zeros;
  for (const char c : text.substr(0, 8)) zeros += c == '\0' ? '0' : 'x';
  for (const auto& [pattern, name] : {std::pair{"x000x000"sv, "utf-32le"sv}, std::pair{"000x000x"sv, "utf-32be"sv},
                                      std::pair{"x0x0"sv, "utf-16le"sv}, std::pair{"0x0x"sv, "utf-16be"sv}})
    if (zeros.starts_with(pattern)) return name;
  return "";
}

// What else is met under the name of a text file.
Status refuse_other_kinds(const std::filesystem::path& path, std::string_view text) {
  constexpr std::array kArchives{std::pair{"PK\x03\x04"sv, "a zip archive"},
                                 std::pair{"\x28\xb5\x2f\xfd"sv, "packed by zstd"},
                                 std::pair{"BZh"sv, "packed by bzip2"},
                                 std::pair{"\xfd"
                                           "7zXZ"sv,
                                           "packed by xz"}};
  for (const auto& [magic, name] : kArchives)
    if (text.starts_with(magic))
      return fail(Code::kInvalid, "{}: {}; unpack it first (gzip is read as it is)", path.string(), name);
  if (text.starts_with("PAR1"))
    return fail(Code::kInvalid,
                "{}: a Parquet file, wanted text; --format parquet reads interactions, items are JSON lines",
                path.string());
  if (const std::string_view name = wide_encoding(text); !name.empty())
    return fail(Code::kInvalid, "{}: is UTF-{}; convert it, e.g. iconv -f {} -t utf-8 OLD > NEW", path.string(),
                name.substr(4, 2), name);
  if (text.starts_with(kGzip))
    return fail(Code::kInvalid, "{}: packed by gzip twice; unpack it once, e.g. gunzip", path.string());
  return ok();
}

// All members of a gzip file, one after the other, as gunzip reads them: zeros behind the last one are padding.
Result<std::string> unpack(const std::filesystem::path& path, std::span<const std::byte> packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
    return fail(Code::kFailed, "{}: zlib does not start", path.string());
  std::string out;
  std::string buffer(1 << 20, '\0');
  int state = Z_OK;
  for (std::size_t given = 0;
       state == Z_OK || (state == Z_STREAM_END && (stream.avail_in > 0 || given < packed.size()));) {
    if (state == Z_STREAM_END) {
      const auto rest = packed.subspan(given - stream.avail_in);
      if (std::ranges::all_of(rest, [](std::byte b) { return b == std::byte{0}; })) break;
      inflateReset(&stream);
    }
    if (stream.avail_in == 0) {
      const std::size_t part = std::min<std::size_t>(packed.size() - given, 1 << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + given));   // zlib reads only
      stream.avail_in = static_cast<uInt>(part);
      given += part;
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, 0, buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state == Z_STREAM_END) return out;
  return fail(Code::kInvalid, "{}: a gzip file that {} after {} bytes of text; fetch it again", path.string(),
              state == Z_BUF_ERROR ? "ends" : "is damaged", out.size());
}

// Without blank lines at the end: editors and exports leave them, and they are no rows.
std::string_view without_blank_end(std::string_view text) {
  for (;;) {
    const std::size_t line = text.ends_with('\n') ? text.size() - 1 : text.size();
    const std::size_t before = text.substr(0, line).rfind('\n');
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const bool blank = text.substr(begin).find_first_not_of(" \r\n") == std::string_view::npos;
    if (!blank || text.empty()) return text;
    text = text.substr(0, begin);
  }
}

}  // namespace

Result<TextFile> TextFile::open(const std::filesystem::path& path) {
  TextFile out;
  DYAD_TRY(file, io::MappedFile::open(path));
  out.file_ = std::move(file);
  std::string_view text = out.file_.text();
  if (text.starts_with(kGzip)) {
    DYAD_TRY(unpacked, unpack(path, out.file_.bytes()));
    out.unpacked_ = std::move(unpacked);
    out.is_unpacked_ = true;
    text = out.unpacked_;
  }
  DYAD_TRYV(refuse_other_kinds(path, text));
  const std::string_view marked = text;
  text = without_byte_order_mark(marked);
  out.begin_ = marked.size() - text.size();
  out.size_ = without_blank_end(text).size();
  return out;
}

}  // namespace dyad::importer
