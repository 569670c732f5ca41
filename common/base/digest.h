#pragma once
// Checksums by xxHash: XXH3-64 of bytes, and its hexadecimal form as manifests and file names carry it.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace dyad {

std::uint64_t digest64(std::span<const std::byte> bytes);
std::uint64_t digest64(std::string_view text);
std::string hex64(std::uint64_t value);   // 16 lower-case digits

class Digest {                            // the same digest of bytes that come in pieces
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  void update(std::span<const std::byte> bytes);
  std::uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dyad
