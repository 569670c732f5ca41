// Boost.Beast, in this file only.
#include "common/http/server.h"

#include <atomic>
#include <charconv>
#include <list>
#include <optional>
#include <thread>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/ostream.h>
#include "common/base/log.h"

namespace dyad::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Handler = std::function<Answer(const std::string&)>;

constexpr std::uint32_t kHeaderBytesMax = 8192;
constexpr std::size_t kConnectionsMax = 64;
constexpr std::chrono::seconds kReadMax{3}, kWriteMax{10};       // of a whole request, of a whole answer
constexpr std::chrono::milliseconds kAcceptAgain{100};           // after an error: descriptors may have run out

class Session;
using Sessions = std::list<Session*>;                            // open ones, the oldest first

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const Handler& answer, Sessions& open)
      : stream_(std::move(socket)), answer_(answer), open_(open), place_(open.insert(open.end(), this)) {}
  ~Session() { open_.erase(place_); }
  void drop() { stream_.close(); }                               // its handler comes with an error, and it ends

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(0);
    open_.splice(open_.end(), open_, place_);
    stream_.expires_after(kReadMax);
    bhttp::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, std::size_t) {
      if (!error) return self->respond();
      if (error == bhttp::error::header_limit)
        return self->write(self->make(bhttp::status::request_header_fields_too_large, "header too large\n"), false);
      if (error == bhttp::error::body_limit)
        return self->write(self->make(bhttp::status::payload_too_large, "no body here\n"), false);
      self->close();
    });
  }

 private:
  bhttp::response<bhttp::string_body> make(bhttp::status status, std::string body,
                                         const std::string& type = "text/plain; charset=utf-8") {
    bhttp::response<bhttp::string_body> response{status, 11};
    response.set(bhttp::field::content_type, type);
    response.set(bhttp::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
  }

  void respond() {
    const auto& request = parser_->get();
    const bool keep = request.keep_alive();
    if (request.method() != bhttp::verb::get && request.method() != bhttp::verb::head)
      return write(make(bhttp::status::method_not_allowed, "GET only\n"), false);
    std::string path(request.target());
    path = path.substr(0, path.find('?'));
    Answer answer = page(path);
    auto response = make(static_cast<bhttp::status>(answer.status), std::move(answer.body), answer.type);
    if (request.method() == bhttp::verb::head) response.body().clear();
    write(std::move(response), keep);
  }

  Answer page(const std::string& path) const {
    try {
      return answer_(path);
    } catch (const std::exception& e) {                          // short of memory: this page, not the process
      return {503, "text/plain; charset=utf-8", fmt::format("no answer: {}\n", e.what())};
    }
  }

  void write(bhttp::response<bhttp::string_body> response, bool keep) {
    response.keep_alive(keep);
    response_ = std::move(response);
    stream_.expires_after(kWriteMax);
    bhttp::async_write(stream_, response_, [self = shared_from_this(), keep](ErrorCode error, std::size_t) {
      if (error || !keep) return self->close();
      self->read();
    });
  }

  void close() {
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeaderBytesMax * 2};
  std::optional<bhttp::request_parser<bhttp::empty_body>> parser_;
  bhttp::response<bhttp::string_body> response_;
  const Handler& answer_;
  Sessions& open_;
  Sessions::iterator place_;
};

// Of an address that is taken, of another machine or not for this user: another try would be the same.
bool is_another_address(const ErrorCode& error) {
  return error == asio::error::address_in_use || error == boost::system::errc::address_not_available ||
         error == asio::error::access_denied;
}

class Beast final : public Server {
 public:
  Beast(Handler answer, std::string key) : answer_(std::move(answer)), key_(std::move(key)) {}
  ~Beast() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  std::string address() const override { return address_; }

  Status listen(const tcp::endpoint& endpoint) {
    ErrorCode error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return fail(is_another_address(error) ? Code::kInvalid : Code::kFailed,
                  "cannot serve HTTP on {}: {}; choose another {}", fmt::streamed(endpoint), error.message(), key_);
    const auto bound = acceptor_.local_endpoint();
    address_ = fmt::format("http://{}", fmt::streamed(bound));   // an IPv6 address in brackets
    if (!bound.address().is_loopback())
      LOG_WARN("the status page at {} is open to whoever reaches this address", address_);
    accept();
    thread_ = std::thread([this] { run(); });
    return ok();
  }

 private:
  void run() {
    while (!context_.stopped()) {
      try {
        context_.run();
      } catch (const std::exception& e) {                        // short of memory: that connection ends, others do not
        LOG_WARN("the status page dropped a connection: {}", e.what());
        if (!accepting_) accept();
      }
    }
  }

  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](ErrorCode error, tcp::socket socket) {
      accepting_ = false;
      if (error == asio::error::operation_aborted) return;
      if (error) {                                               // EMFILE stays for a while: no spinning
        accepting_ = true;
        again_.expires_after(kAcceptAgain);
        return again_.async_wait([this](ErrorCode) { accept(); });
      }
      if (open_.size() >= kConnectionsMax) open_.front()->drop();   // half-sent requests do not close the door
      std::make_shared<Session>(std::move(socket), answer_, open_)->read();
      accept();
    });
  }

  Handler answer_;
  std::string key_;
  Sessions open_;  // the server's thread alone; outlives those in context_
  bool accepting_ = false;
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer again_{context_};
  std::string address_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const Options& options, Handler answer) {
  const std::string_view endpoint = options.endpoint;
  const auto colon = endpoint.rfind(':');
  std::string_view address = endpoint.substr(0, colon == std::string_view::npos ? 0 : colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  const std::string_view digits = endpoint.substr(colon == std::string_view::npos ? endpoint.size() : colon + 1);
  std::uint16_t port = 0;
  ErrorCode error;
  const auto host = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);   // no resolver
  const auto [stop, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error || bad != std::errc() || stop != digits.data() + digits.size())
    return fail(Code::kInvalid, "{} = \"{}\": give an IP address or localhost, and a port, such as 127.0.0.1:8080 or "
                "[::1]:8080", options.key, endpoint);
  auto server = std::make_unique<Beast>(std::move(answer), options.key);
  DYAD_TRYV(server->listen({host, port}));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace dyad::http
