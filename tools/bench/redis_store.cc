#include "tools/bench/redis_store.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/base/check.h"

namespace dyad::bench {
namespace {

// -1 while nobody listens there yet.
int connect_to(const std::filesystem::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

class RedisClient final : public Client {
 public:
  RedisClient(int fd, std::size_t row_bytes) : fd_(fd), row_(row_bytes, 'r') {}
  ~RedisClient() override { ::close(fd_); }

  void pull(const Batch& batch) override {
    begin("MGET", 1 + batch.rows());
    for (int t = 0; t < kTables; ++t) for (const RowKey key : batch.keys[t]) put_key(t, key);
    send();
    CHECK_EQ(number('*'), batch.rows());
    values_.resize(batch.rows() * row_.size());
    for (std::size_t i = 0; i < batch.rows(); ++i) {
      CHECK_EQ(number('$'), row_.size());
      read(values_.data() + i * row_.size(), row_.size());
      skip(2);
    }
  }
  void push(const Batch& batch) override {
    begin("MSET", 1 + 2 * batch.rows());
    for (int t = 0; t < kTables; ++t)
      for (const RowKey key : batch.keys[t]) put_key(t, key), put(row_);
    send();
    skip(5);                                                   // +OK
  }

 private:
  void begin(const char* command, std::size_t words) {
    out_ = "*" + std::to_string(words) + "\r\n";
    put(command);
  }
  void put(std::string_view word) {
    out_ += '$';
    out_ += std::to_string(word.size());
    out_ += "\r\n";
    out_ += word;
    out_ += "\r\n";
  }
  void put_key(int table, RowKey key) {
    char word[9] = {static_cast<char>(table)};
    std::memcpy(word + 1, &key, 8);
    put({word, sizeof word});
  }
  void send() {
    for (std::size_t done = 0; done < out_.size();) {
      const ssize_t n = ::write(fd_, out_.data() + done, out_.size() - done);
      CHECK_GT(n, 0);
      done += static_cast<std::size_t>(n);
    }
  }
  void fill() {
    in_.resize(1 << 20);
    const ssize_t n = ::read(fd_, in_.data(), in_.size());
    CHECK_GT(n, 0);
    at_ = 0, end_ = static_cast<std::size_t>(n);
  }
  void read(char* to, std::size_t bytes) {
    while (bytes > 0) {
      if (at_ == end_) fill();
      const std::size_t n = std::min(bytes, end_ - at_);
      std::memcpy(to, in_.data() + at_, n);
      at_ += n, to += n, bytes -= n;
    }
  }
  void skip(std::size_t bytes) {
    char c = 0;
    while (bytes-- > 0) read(&c, 1);
  }
  std::size_t number(char kind) {                              // "*12\r\n"
    char c = 0;
    read(&c, 1);
    CHECK_EQ(c, kind);
    std::size_t value = 0;
    for (read(&c, 1); c != '\r'; read(&c, 1)) value = value * 10 + static_cast<std::size_t>(c - '0');
    skip(1);
    return value;
  }

  int fd_;
  std::string row_, out_;
  std::vector<char> in_, values_;
  std::size_t at_ = 0, end_ = 0;
};

}  // namespace

Result<std::unique_ptr<RedisStore>> RedisStore::start(const std::string& program, const std::filesystem::path& folder,
                                                      const StoreOptions& options) {
  const std::filesystem::path socket = folder / "redis.sock";
  std::vector<std::string> words{program, "--port", "0", "--unixsocket", socket.string(), "--save", "", "--appendonly",
                                 "no", "--logfile", (folder / "redis.log").string()};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (const int error = ::posix_spawnp(&pid, program.c_str(), nullptr, nullptr, argv.data(), environ); error != 0)
    return fail(error == ENOENT ? Code::kNotFound : Code::kFailed, "{}: {}", program, std::strerror(error));
  std::unique_ptr<RedisStore> store(new RedisStore(pid, socket, options));
  for (int tries = 0; tries < 500; ++tries) {
    if (const int fd = connect_to(socket); fd >= 0) {
      ::close(fd);
      return store;
    }
    if (::waitpid(pid, nullptr, WNOHANG) == pid) {
      store->pid_ = 0;
      return fail(Code::kFailed, "{} ended at once: see {}", program, (folder / "redis.log").string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return fail(Code::kFailed, "{} does not listen on {} after 5 s", program, socket.string());
}

RedisStore::~RedisStore() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

std::unique_ptr<Client> RedisStore::client() const {
  const int fd = connect_to(socket_);
  CHECK_GE(fd, 0);
  return std::make_unique<RedisClient>(fd, options_.dim * options_.value_bytes());
}

}  // namespace dyad::bench
