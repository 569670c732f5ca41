#include "common/data/log_format.h"

#include <cstring>
#include "common/base/check.h"
#include "common/base/digest.h"
#include "common/base/random.h"

namespace dyad::data::log {
namespace {

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T> T get(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
std::uint64_t zigzag(std::int64_t v) {
  return static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63);
}
std::int64_t wrapping(std::int64_t a, std::int64_t b, int sign) {          // a + sign * b modulo 2^64
  const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  return static_cast<std::int64_t>(sign > 0 ? x + y : x - y);
}
std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1); }

class VarintReader {
 public:
  explicit VarintReader(std::span<const std::byte> bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}
  std::uint64_t next() {                            // 0 past the end, remembered by good()
    std::uint64_t value = 0;
    for (int shift = 0; at_ != end_ && shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint64_t>(*at_++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  bool good() const { return good_; }
  bool finished() const { return at_ == end_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
  bool good_ = true;
};

std::uint64_t checksum_of(std::span<const std::byte> head, std::span<const std::byte> body) {
  Digest digest;
  digest.update(head);
  digest.update(body);
  return digest.value();
}

}  // namespace

std::string encode_batch(std::uint64_t base, std::span<const Event> events) {
  CHECK(!events.empty() && events.size() <= kBatchEventsMax);
  std::string body;
  std::int64_t last = 0;
  for (const Event& event : events) {
    put_varint(body, event.user.value);
    put_varint(body, event.item.value);
    if (event.time_s == -1) {
      put_varint(body, 0);
    } else {
      put_varint(body, 1 + zigzag(wrapping(event.time_s, last, -1)));
      last = event.time_s;
    }
  }
  std::string out;
  put(out, kMagic);
  put(out, kVersion);
  put(out, std::uint16_t{0});
  put(out, base);
  put(out, static_cast<std::uint32_t>(events.size()));
  put(out, static_cast<std::uint32_t>(body.size()));
  put(out, checksum_of(std::as_bytes(std::span(out)), std::as_bytes(std::span(body))));
  return out + body;
}

Result<BatchHeader> decode_header(std::span<const std::byte> bytes, const std::string& where) {
  if (bytes.size() < kHeaderBytes)
    return fail(Code::kInvalid, "{}: cut short, {} bytes of a header of {}", where, bytes.size(), kHeaderBytes);
  if (get<std::uint32_t>(bytes, 0) != kMagic) return fail(Code::kInvalid, "{}: no record batch begins here", where);
  const auto version = get<std::uint16_t>(bytes, 4);
  if (version > kVersion)
    return fail(Code::kInvalid, "{}: written in version {}, this program reads up to {}; use a newer Dyad", where,
                version, kVersion);
  const BatchHeader header{get<std::uint64_t>(bytes, 8), get<std::uint32_t>(bytes, 16), get<std::uint32_t>(bytes, 20),
                           get<std::uint64_t>(bytes, 24)};
  if (version == 0 || header.events == 0 || header.events > kBatchEventsMax)
    return fail(Code::kInvalid, "{}: the header is altered ({} events, version {})", where, header.events, version);
  if (header.bytes() > bytes.size())
    return fail(Code::kInvalid, "{}: cut short, {} bytes of {}", where, bytes.size(), header.bytes());
  return header;
}

Status decode_body(std::span<const std::byte> bytes, const BatchHeader& header, const std::string& where,
                   std::vector<Event>& out) {
  const std::span<const std::byte> body = bytes.subspan(kHeaderBytes, header.body_bytes);
  if (checksum_of(bytes.first(24), body) != header.checksum)
    return fail(Code::kInvalid, "{}: checksum differs, the bytes were altered", where);
  VarintReader reader(body);
  std::int64_t last = 0;
  for (std::uint32_t i = 0; i < header.events; ++i) {
    const std::uint64_t user = reader.next(), item = reader.next(), time = reader.next();
    if (!reader.good() || user > UINT32_MAX || item > UINT32_MAX)
      return fail(Code::kInvalid, "{}: event {} is not readable", where, i);
    if (time != 0) last = wrapping(last, unzigzag(time - 1), 1);
    out.push_back(
        {UserId{static_cast<std::uint32_t>(user)}, ItemId{static_cast<std::uint32_t>(item)}, time == 0 ? -1 : last});
  }
  if (!reader.finished()) return fail(Code::kInvalid, "{}: bytes after the last event", where);
  return ok();
}

std::string encode_index_entry(const IndexEntry& entry) {
  std::string out;
  put(out, entry.base);
  put(out, entry.byte);
  put(out, mix64(entry.base, entry.byte));
  return out;
}

Result<std::vector<IndexEntry>> decode_index(std::span<const std::byte> bytes, const std::string& file) {
  std::vector<IndexEntry> entries;
  for (std::size_t at = 0; at + kIndexEntryBytes <= bytes.size(); at += kIndexEntryBytes) {
    const IndexEntry entry{get<std::uint64_t>(bytes, at), get<std::uint64_t>(bytes, at + 8)};
    if (get<std::uint64_t>(bytes, at + 16) != mix64(entry.base, entry.byte))
      return fail(Code::kInvalid, "{}: entry {} is altered; remove the file, it is only a short cut", file,
                  entries.size());
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace dyad::data::log
