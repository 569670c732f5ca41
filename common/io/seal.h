#pragma once
// The digest that a sealed .safetensors file carries of itself: digest64 of the file as it is with sixteen zeros in the
// digest's place. For safetensors.cc and safetensors_write.cc alone.
#include <span>
#include <string>
#include <string_view>
#include "common/base/digest.h"

namespace dyad::io {

inline constexpr const char* kSealKey = "dyad.digest";
inline constexpr std::string_view kNoDigest = "0000000000000000";

// Where the sixteen digits of `value` stand in the header's text; npos if it is not as write_safetensors() writes it.
inline std::size_t place_of_seal(std::string_view header, std::string_view value) {
  const std::string before = "\"" + std::string(kSealKey) + "\":\"";
  const std::size_t at = value.size() == kNoDigest.size() ? header.find(before + std::string(value) + "\"")
                                                          : std::string_view::npos;
  return at == std::string_view::npos ? at : at + before.size();
}

// Feeds the length of the header and the header with its seal blanked.
inline void digest_header(Digest& digest, std::string header, std::size_t seal) {
  header.replace(seal, kNoDigest.size(), kNoDigest);
  const std::uint64_t bytes = header.size();
  digest.update(std::as_bytes(std::span(&bytes, 1)));
  digest.update(std::as_bytes(std::span(header)));
}

}  // namespace dyad::io
