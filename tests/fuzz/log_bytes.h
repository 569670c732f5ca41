#pragma once
// The checksums of a log's files put right, so that what lies behind them is reached (common/data/log_format.h).
#include <string>
#include "common/base/digest.h"
#include "common/base/random.h"
#include "common/data/log_format.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

inline std::string with_batch_checksums(std::string segment) {
  constexpr std::size_t kChecksum = 24, kBodyBytes = 20;
  for (std::size_t at = 0; at + data::log::kHeaderBytes <= segment.size();) {
    const std::size_t body = number_at<std::uint32_t>(segment, at + kBodyBytes);
    if (body > segment.size() - at - data::log::kHeaderBytes) break;
    Digest digest;
    digest.update(std::as_bytes(std::span(segment)).subspan(at, kChecksum));
    digest.update(std::as_bytes(std::span(segment)).subspan(at + data::log::kHeaderBytes, body));
    put_number(segment, at + kChecksum, digest.value());
    at += data::log::kHeaderBytes + body;
  }
  return segment;
}

inline std::string with_entry_checksums(std::string index) {
  for (std::size_t at = 0; at + data::log::kIndexEntryBytes <= index.size(); at += data::log::kIndexEntryBytes)
    put_number(index, at + 16, mix64(number_at<std::uint64_t>(index, at), number_at<std::uint64_t>(index, at + 8)));
  return index;
}

}  // namespace dyad::fuzz
