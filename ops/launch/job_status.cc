#include "ops/launch/job_status.h"

#include <memory>
#include <curl/curl.h>
#include "common/control/address.h"

namespace dyad::ops {
namespace {

constexpr std::size_t kBodyBytesMax = 16u << 20;

std::size_t take(char* data, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size * count > kBodyBytesMax) return 0;
  text.append(data, size * count);
  return size * count;
}

}  // namespace

Result<std::string> fetch_status(const std::string& base, int timeout_ms) {
  const std::string url = base + "/status.json";
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), &curl_easy_cleanup);
  if (!curl) return fail(Code::kFailed, "libcurl did not start");
  std::string body;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK)
    return fail(Code::kDisconnected, "no answer from {}: {}; is the coordinator running?", url,
                curl_easy_strerror(code));
  return body;
}

Result<std::string> fetch_status_of(const std::filesystem::path& job_dir, int timeout_ms) {
  DYAD_TRY(address, control::read_address(job_dir));
  return fetch_status(address.http, timeout_ms);
}

}  // namespace dyad::ops
