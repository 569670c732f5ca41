#pragma once
// Where the coordinator of a job listens: <job.dir>/coordinator.json, written by it at start, removed at a clean end.
// A killed coordinator leaves its file behind, so a reader must be ready to find nobody there and to read again.
#include <cstdint>
#include <filesystem>
#include <string>
#include "common/base/ids.h"
#include "common/base/result.h"

namespace dyad::control {

struct Address {
  std::string control;          // "tcp://127.0.0.1:34567"
  std::string http;             // "http://127.0.0.1:34568"
  std::uint32_t pid = 0;
};
std::filesystem::path address_file(const std::filesystem::path& job_dir);
// kNotFound when there is no file, kInvalid when it is not one of ours.
Result<Address> read_address(const std::filesystem::path& job_dir);
// For peers of the same machine and user (net/local_socket.h): no crowd at the ports is in their way, and nothing is
// encrypted. Empty where job_dir is.
std::filesystem::path server_socket(const std::filesystem::path& job_dir, ServerId id);
std::filesystem::path coordinator_socket(const std::filesystem::path& job_dir);
Status write_address(const std::filesystem::path& job_dir, const Address& address);   // atomically, by rename

}  // namespace dyad::control
