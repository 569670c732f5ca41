#include "common/metrics/event_bytes.h"

#include <bit>
#include <cstring>
#include <boost/crc.hpp>

namespace dyad::metrics {
namespace {

static_assert(std::endian::native == std::endian::little);

enum Field : std::uint32_t { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7 };
enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
constexpr std::size_t kHead = 12, kTail = 4;

std::uint32_t masked_crc(std::string_view bytes) {              // as TFRecord has it
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::rotr(crc.checksum(), 15) + 0xa282ead8u;
}

template <class T>
void put_raw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T> T get_raw(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void put_key(std::string& out, std::uint32_t field, WireType type) { put_varint(out, field << 3 | type); }
void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string head_of(double wall_time, Step step) {
  std::string out;
  put_key(out, kWallTime, kFixed64);
  put_raw(out, wall_time);
  put_key(out, kStep, kVarint);
  put_varint(out, step.value);
  return out;
}

struct Read {                                    // a field of a message
  std::uint32_t field = 0, type = 0;
  std::uint64_t number = 0;                      // of a varint; the bits of a fixed one
  std::string_view bytes;
};

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<Read> take_field(std::string_view& in) {
  const auto key = take_varint(in);
  if (!key) return std::nullopt;
  Read read{static_cast<std::uint32_t>(*key >> 3), static_cast<std::uint32_t>(*key & 7), 0, {}};
  if (read.type == kVarint) {
    const auto value = take_varint(in);
    if (!value) return std::nullopt;
    read.number = *value;
    return read;
  }
  std::uint64_t size = read.type == kFixed64 ? 8 : read.type == kFixed32 ? 4 : 0;
  if (read.type == kBytes) {
    const auto length = take_varint(in);
    if (!length) return std::nullopt;
    size = *length;
  } else if (size == 0) {
    return std::nullopt;
  }
  if (size > in.size()) return std::nullopt;
  read.bytes = in.substr(0, size);
  in.remove_prefix(size);
  if (read.type == kFixed64) read.number = get_raw<std::uint64_t>(read.bytes);
  if (read.type == kFixed32) read.number = get_raw<std::uint32_t>(read.bytes);
  return read;
}

// Calls `each` with every field; false when the bytes are no message.
template <class Each> bool fields_of(std::string_view in, Each each) {
  while (!in.empty()) {
    const auto read = take_field(in);
    if (!read) return false;
    each(*read);
  }
  return true;
}

}  // namespace

std::string framed(std::string_view event) {
  std::string out;
  put_raw(out, static_cast<std::uint64_t>(event.size()));
  put_raw(out, masked_crc(out));
  out += event;
  put_raw(out, masked_crc(event));
  return out;
}

std::optional<std::string_view> take_record(std::string_view& bytes) {
  if (bytes.size() < kHead + kTail || masked_crc(bytes.substr(0, 8)) != get_raw<std::uint32_t>(bytes.substr(8)))
    return std::nullopt;
  const auto size = get_raw<std::uint64_t>(bytes);
  if (size > bytes.size() - kHead - kTail) return std::nullopt;
  const std::string_view event = bytes.substr(kHead, size);
  if (masked_crc(event) != get_raw<std::uint32_t>(bytes.substr(kHead + size))) return std::nullopt;
  bytes.remove_prefix(kHead + size + kTail);
  return event;
}

std::string version_event(double wall_time) {
  std::string out = head_of(wall_time, Step{0});
  put_bytes(out, kFileVersion, "brain.Event:2");
  return out;
}

std::string start_event(double wall_time, Step step) {
  std::string out = head_of(wall_time, step), log;
  put_key(log, 1, kVarint);
  put_varint(log, 1);                            // START
  put_bytes(out, kSessionLog, log);
  return out;
}

std::string scalar_event(const ScalarEvent& event) {
  std::string out = head_of(event.wall_time, event.step), summary;
  for (const auto& [tag, value] : event.scalars) {
    std::string scalar;
    put_bytes(scalar, 1, tag);
    put_key(scalar, 2, kFixed32);
    put_raw(scalar, static_cast<float>(value));
    put_bytes(summary, 1, scalar);
  }
  put_bytes(out, kSummary, summary);
  return out;
}

std::optional<ScalarEvent> parse_event(std::string_view bytes) {
  ScalarEvent event;
  bool whole = true, has_summary = false;
  const auto scalar = [&](std::string_view in) {
    std::string tag;
    float value = 0;
    whole &= fields_of(in, [&](const Read& f) {
      if (f.field == 1 && f.type == kBytes) tag = f.bytes;
      if (f.field == 2 && f.type == kFixed32) value = std::bit_cast<float>(static_cast<std::uint32_t>(f.number));
    });
    event.scalars[tag] = static_cast<double>(value);
  };
  whole &= fields_of(bytes, [&](const Read& f) {
    if (f.field == kWallTime && f.type == kFixed64) event.wall_time = std::bit_cast<double>(f.number);
    if (f.field == kStep && f.type == kVarint) event.step = Step{f.number};
    if (f.field != kSummary || f.type != kBytes) return;
    has_summary = true;
    whole &= fields_of(f.bytes, [&](const Read& v) { if (v.field == 1 && v.type == kBytes) scalar(v.bytes); });
  });
  if (!whole || !has_summary) return std::nullopt;
  return event;
}

}  // namespace dyad::metrics
