// dyad status: asks a running coordinator how its job is.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <curl/curl.h>
#include <nlohmann/json.hpp>
#include "common/control/address.h"
#include "ops/command.h"

namespace dyad::ops {
namespace {

using nlohmann::json;
constexpr long kTimeoutMs = 5000;
constexpr std::size_t kBodyBytesMax = 16u << 20;

struct Options {
  std::string job_dir = "run", http;
  bool json = false;
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size * count > kBodyBytesMax) return 0;
  text.append(data, size * count);
  return size * count;
}

Result<std::string> http_get(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), &curl_easy_cleanup);
  if (!curl) return fail(Code::kFailed, "libcurl did not start");
  std::string body;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK)
    return fail(Code::kDisconnected, "no answer from {}: {}; is the coordinator running?", url,
                curl_easy_strerror(code));
  return body;
}

void print_table(const json& s) {
  std::printf("%s: %s, epoch %llu of %llu, batch %llu of %llu, step %llu, %.0f samples/s\n",
              s.at("job").get<std::string>().c_str(), s.at("state").get<std::string>().c_str(),
              s.at("epoch").get<unsigned long long>() + 1, s.at("epochs").get<unsigned long long>(),
              s.at("batch").get<unsigned long long>(), s.at("batches").get<unsigned long long>(),
              s.at("step").get<unsigned long long>(), s.at("samples_per_s").get<double>());
  for (const json& p : s.at("processes"))
    std::printf("  %-9s %2u  %-10s step %-8llu heartbeat %.1f s ago, %s pid %u\n",
                p.at("role").get<std::string>().c_str(), p.at("id").get<unsigned>(),
                p.at("state").get<std::string>().c_str(), p.at("step").get<unsigned long long>(),
                p.at("heartbeat_age_ms").get<double>() / 1e3, p.at("host").get<std::string>().c_str(),
                p.at("pid").get<unsigned>());
  for (const json& c : s.at("checkpoints"))
    std::printf("  %s%s\n", c.at("folder").get<std::string>().c_str(), c.at("best").get<bool>() ? "  best" : "");
  for (const json& a : s.at("audits")) std::printf("  %s\n", a.at("text").get<std::string>().c_str());
}

Status show(const Options& options) {
  std::string base = options.http;
  if (base.empty()) {
    DYAD_TRY(address, control::read_address(options.job_dir));
    base = address.http;
  }
  DYAD_TRY(body, http_get(base + "/status.json"));
  const json status = json::parse(body, nullptr, false);
  if (!status.is_object()) return fail(Code::kInvalid, "{} answered no status; is it a coordinator?", base);
  if (options.json) {
    std::printf("%s\n", status.dump(1).c_str());
    return ok();
  }
  try {
    print_table(status);
  } catch (const json::exception& e) {
    return fail(Code::kInvalid, "{} answered the status of another version: {}", base, e.what());
  }
  return ok();
}

}  // namespace

void add_status_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("status", "How a running job is: processes, progress, checkpoints");
  auto options = std::make_shared<Options>();
  command->add_option("job_dir", options->job_dir, "the job's folder (job.dir)")->capture_default_str();
  command->add_option("--http", options->http, "ask this address instead, such as http://10.0.0.1:8080");
  command->add_flag("--json", options->json, "for scripts");
  command->footer("Example: dyad status run");
  command->callback([options, &exit_code] { exit_code = finish(show(*options)); });
}

}  // namespace dyad::ops
