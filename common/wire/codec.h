#pragma once
// Messages to header bytes and back. The header is a Cap'n Proto message (wire.capnp); the frames of bulk that follow
// it are the caller's (sections.h). Threads: any; no state.
#include <cstddef>
#include <optional>
#include <span>
#include <vector>
#include "common/base/result.h"
#include "common/wire/messages.h"

namespace dyad::wire {

inline constexpr std::size_t kHeaderBytesMax = 4u << 20;   // a longer header is refused unread
inline constexpr std::size_t kSectionsMax = 16;            // of one message

std::vector<std::byte> encode(const Envelope& envelope);
// Trusts nothing: kInvalid on bytes that are no message of ours, another protocol version, unknown kinds and values.
Result<Envelope> decode(std::span<const std::byte> header);


// What stays readable of a message in another version, so that its sender can be told; none for all other bytes.
struct OtherVersion {
  std::uint16_t version = 0;
  std::uint64_t request = 0;
};
std::optional<OtherVersion> other_version(std::span<const std::byte> header);

const char* body_name(const Body& body);                   // "Pull", for logs and errors
const char* role_name(Role role);                          // "worker"
// The body as a T, or the peer's own error, or kInvalid saying what came instead.
template <class T> Result<T> expect(Envelope&& envelope) {
  if (auto* body = std::get_if<T>(&envelope.body)) return std::move(*body);
  if (auto* error = std::get_if<ErrorReply>(&envelope.body)) return std::move(error->error);
  return fail(Code::kInvalid, "peer answered {} where {} was expected", body_name(envelope.body), body_name(Body{T{}}));
}

}  // namespace dyad::wire
