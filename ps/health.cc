#include "ps/health.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <fstream>
#include <system_error>
#include "common/metrics/prometheus.h"

namespace dyad::ps {
namespace {

constexpr Millis kLateMs = 5000;
constexpr const char* kText = "text/plain; charset=utf-8";

http::Answer alive(Server& server) {
  const auto loaded = server.loaded();
  if (!loaded) return {503, kText, loaded.error().message + "\n"};
  const Millis turned = server.turned_ms(), now = steady_now_ms();
  if (turned != 0 && now > turned + kLateMs)
    return {503, kText, fmt::format("the server's loop has not turned for {} ms\n", now - turned)};
  return {200, kText, "ok\n"};
}

http::Answer ready(Server& server) {
  if (auto answer = alive(server); answer.status != 200) return answer;
  if (server.turned_ms() == 0)
    return {503, kText, "waits for the coordinator, the other servers and the first worker\n"};
  if (!server.loaded().value()) return {503, kText, "loads its rows\n"};
  return {200, kText, "ready\n"};
}

std::uint64_t inode_of(const std::filesystem::path& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? info.st_ino : 0;
}

std::string metrics_text(const Server& server, ServerId id) {
  return metrics::prometheus_text(
      metrics::figures_of(server.metrics(), {{"role", "server"}, {"id", fmt::format("{}", id)}}));
}

}  // namespace

http::Answer health_page(const std::string& path, Server& server, ServerId id) {
  if (path == "/healthz") return alive(server);
  if (path == "/readyz") return ready(server);
  if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(server, id)};
  return {404, kText, "no such page; there are /healthz /readyz /metrics\n"};
}

Result<std::unique_ptr<Health>> Health::start(const std::string& endpoint, Server& server, ServerId id) {
  DYAD_TRY(http, http::Server::start({endpoint, "servers.http"}, [&server, id](const std::string& path) {
             return health_page(path, server, id);
           }));
  return std::unique_ptr<Health>(new Health(std::move(http)));
}

Status Health::publish(const std::filesystem::path& job_dir, const Server& server, ServerId id) {
  const auto file = job_dir / "servers" / fmt::format("ps-{}.json", id);
  const nlohmann::json json{{"http", address()}, {"address", server.endpoint()}, {"pid", ::getpid()}};
  const auto whole = job_dir / "servers" / fmt::format(".ps-{}.json.tmp-{}", id, ::getpid());
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  // Not synced: it is of this process's life only, and workers would wait for a slow disk.
  const bool written = (std::ofstream(whole) << json.dump() << '\n').flush().good();
  inode_ = inode_of(whole);
  if (written) std::filesystem::rename(whole, file, error);
  if (!written || error) {
    std::filesystem::remove(whole, error);
    return fail(Code::kFailed, "{} can't be written: is the disk full?", file.string());
  }
  file_ = file;
  return ok();
}

Health::~Health() {
  http_.reset();
  std::error_code ignored;
  if (!file_.empty() && inode_of(file_) == inode_) std::filesystem::remove(file_, ignored);
}

}  // namespace dyad::ps
