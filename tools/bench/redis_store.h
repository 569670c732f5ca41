#pragma once
// Redis beside it: a redis-server of our own on a local socket, a row as the value of one key, MGET and MSET of a
// batch. It keeps rows and updates none: a push by MSET replaces values, no gradient is applied.
#include <filesystem>
#include <memory>
#include <string>
#include <sys/types.h>
#include "common/base/result.h"
#include "tools/bench/bench_client.h"

namespace dyad::bench {

class RedisStore {
 public:
  // kNotFound when there is no such program. The folder is for its socket.
  static Result<std::unique_ptr<RedisStore>> start(const std::string& program, const std::filesystem::path& folder,
                                                   const StoreOptions& options);
  ~RedisStore();
  std::unique_ptr<Client> client() const;

 private:
  RedisStore(pid_t pid, std::filesystem::path socket, const StoreOptions& options)
      : pid_(pid), socket_(std::move(socket)), options_(options) {}
  pid_t pid_;
  std::filesystem::path socket_;
  StoreOptions options_;
};

}  // namespace dyad::bench
