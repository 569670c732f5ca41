#include "common/base/digest.h"

#include <fmt/format.h>
#include <xxhash.h>
#include "common/base/check.h"

namespace dyad {

std::uint64_t digest64(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }
std::uint64_t digest64(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }
std::string hex64(std::uint64_t value) { return fmt::format("{:016x}", value); }

struct Digest::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};
Digest::Digest() : state_(std::make_unique<State>()) { CHECK(XXH3_64bits_reset(state_->xxh) == XXH_OK); }
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
void Digest::update(std::span<const std::byte> bytes) { XXH3_64bits_update(state_->xxh, bytes.data(), bytes.size()); }
std::uint64_t Digest::value() const { return XXH3_64bits_digest(state_->xxh); }

}  // namespace dyad
