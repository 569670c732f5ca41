// The file of a job's key (common/net/job_key.h).
#include "common/net/job_key.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  std::filesystem::remove(folder() / "seed");
  CHECK(net::write_job_key(folder() / "seed").has_value());
  return {bytes_of(folder() / "seed")};
}

// Either half must be what ZeroMQ takes for 32 bytes: it comes back from them.
void decode(std::string_view bytes) {
  const auto file = put("key", bytes);
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);   // others could read it: not even opened
  const auto read = net::read_job_key(file);
  if (!read) return;
  for (const std::string& key : {read.value().own.public_key, read.value().own.secret_key}) {
    std::uint8_t raw[32];
    char text[41] = {};
    CHECK(key.size() == 40 && zmq_z85_decode(raw, key.c_str()) != nullptr);
    CHECK(zmq_z85_encode(text, raw, sizeof raw) != nullptr);
    CHECK(key == text);
  }
}

}  // namespace dyad::fuzz
