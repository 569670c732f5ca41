#pragma once
// The bytes of a segment, little-endian: record batches one after the other,
//    0  u32 magic "DYLB"       4  u16 version    6  u16 zero      8  u64 base offset of the first event
//   16  u32 events            20  u32 bytes of the body           24  u64 XXH3-64 of bytes 0..23 and the body
//   32  body: per event  varint user | varint item | varint time
// time is 0 where unknown, else 1 + zigzag(seconds since the last known time of the batch, at first 0).
// An event takes 5 to 8 bytes (Amazon Beauty: 5.5) against 16 as a struct.
// Beside a segment, its index NAME.idx: a batch's { u64 base offset, u64 byte position, u64 mix64(both) } each.
#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/data/types.h"

namespace dyad::data::log {

inline constexpr std::uint32_t kMagic = 0x424c5944;          // "DYLB"
inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 32;
inline constexpr std::size_t kIndexEntryBytes = 24;
inline constexpr std::size_t kBatchEventsMax = 1 << 20;      // what a header may claim

struct BatchHeader {
  std::uint64_t base = 0;
  std::uint32_t events = 0, body_bytes = 0;
  std::uint64_t checksum = 0;
  std::uint64_t end() const { return base + events; }
  std::size_t bytes() const { return kHeaderBytes + body_bytes; }
};

// A whole batch, header and body. REQUIRES: 0 < events.size() <= kBatchEventsMax.
std::string encode_batch(std::uint64_t base, std::span<const Event> events);
// The header at the start of `bytes`. `where` ("file: batch at offset 12 (byte 345)") opens each error's message.
// Fails with kInvalid when cut short, not a batch, or of a newer version.
Result<BatchHeader> decode_header(std::span<const std::byte> bytes, const std::string& where);
// The events of the batch at the start of `bytes`, appended to `out`. Fails with kInvalid when altered.
Status decode_body(std::span<const std::byte> bytes, const BatchHeader& header, const std::string& where,
                   std::vector<Event>& out);

struct IndexEntry { std::uint64_t base = 0, byte = 0; };
std::string encode_index_entry(const IndexEntry& entry);
// Fails with kInvalid naming the file and the entry that is altered. A last entry that is cut short is left out.
Result<std::vector<IndexEntry>> decode_index(std::span<const std::byte> bytes, const std::string& file);

}  // namespace dyad::data::log
