#include "common/control/address.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace dyad::control {

namespace fs = std::filesystem;

fs::path address_file(const fs::path& job_dir) { return job_dir / "coordinator.json"; }

fs::path server_socket(const fs::path& job_dir, ServerId id) {
  return job_dir.empty() ? fs::path() : job_dir / "sockets" / fmt::format("ps-{}", id);
}

fs::path coordinator_socket(const fs::path& job_dir) {
  return job_dir.empty() ? fs::path() : job_dir / "sockets" / "coordinator";
}

Result<Address> read_address(const fs::path& job_dir) {
  const fs::path file = address_file(job_dir);
  std::ifstream in(file);
  if (!in)
    return fail(Code::kNotFound, "no {}: the coordinator of this job is not running (or job.dir is another folder)",
                file.string());
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object() || !json.contains("control") || !json["control"].is_string())
    return fail(Code::kInvalid, "{}: no \"control\" address inside; remove the file and start the coordinator again",
                file.string());
  Address address;
  address.control = json["control"].get<std::string>();
  if (json.contains("http") && json["http"].is_string()) address.http = json["http"].get<std::string>();
  if (json.contains("pid") && json["pid"].is_number_unsigned()) address.pid = json["pid"].get<std::uint32_t>();
  return address;
}

Status write_address(const fs::path& job_dir, const Address& address) {
  const fs::path file = address_file(job_dir);
  const fs::path temporary = file.string() + fmt::format(".{}.tmp", ::getpid());
  std::error_code error;
  fs::create_directories(job_dir, error);
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << nlohmann::json{{"control", address.control}, {"http", address.http}, {"pid", address.pid}}.dump() << "\n";
    out.flush();
    if (!out)
      return fail(Code::kFailed, "cannot write {}: check that the folder exists and has room", temporary.string());
  }
  fs::rename(temporary, file, error);
  if (error)
    return fail(Code::kFailed, "cannot rename {} to {}: {}", temporary.string(), file.string(), error.message());
  return ok();
}

}  // namespace dyad::control
