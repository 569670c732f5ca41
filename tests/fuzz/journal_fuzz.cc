// The coordinator's journal (coordinator/journal/journal.h). The digests of its records are put right.
#include "coordinator/journal/journal.h"
#include "common/base/digest.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {
namespace {

constexpr std::size_t kMagic = 8, kHead = 12;

std::string with_digests(std::string bytes) {
  for (std::size_t at = kMagic; at + kHead <= bytes.size();) {
    const std::size_t length = number_at<std::uint32_t>(bytes, at);
    if (length > bytes.size() - at - kHead) break;
    Digest digest;
    digest.update(std::as_bytes(std::span(bytes)).subspan(at, 4));
    digest.update(std::as_bytes(std::span(bytes)).subspan(at + kHead, length));
    put_number(bytes, at + 4, digest.value());
    at += kHead + length;
  }
  return bytes;
}

}  // namespace

std::vector<std::string> seeds() {
  {
    std::vector<std::string> records;
    auto journal = coordinator::Journal::open(folder() / "seed", records).value();
    CHECK(journal.append({"{\"cut_removed\":{\"step\":9}}", "two", std::string(300, 'x')}).has_value());
  }
  return {bytes_of(folder() / "seed")};
}

// What opens goes on: a record that is appended comes back behind those that were there.
void decode(std::string_view bytes) {
  const std::filesystem::path file = put("journal", with_digests(std::string(bytes)));
  std::vector<std::string> before, after;
  {
    auto journal = coordinator::Journal::open(file, before);
    if (!journal) return;
    CHECK(journal.value().append({"one more"}).has_value());
  }
  CHECK(coordinator::Journal::open(file, after).has_value());
  before.push_back("one more");
  CHECK(after == before);
}

}  // namespace dyad::fuzz
