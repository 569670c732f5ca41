// Boost.Beast, in this file only.
#include "common/http/server.h"

#include <atomic>
#include <charconv>
#include <optional>
#include <thread>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
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
constexpr int kConnectionsMax = 64;
constexpr std::chrono::seconds kExchangeMax{10};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const Handler& answer, int& open)
      : stream_(std::move(socket)), answer_(answer), open_(open) {
    ++open_;
  }
  ~Session() { --open_; }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(0);
    stream_.expires_after(kExchangeMax);
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
    Answer answer = answer_(path);
    auto response = make(static_cast<bhttp::status>(answer.status), std::move(answer.body), answer.type);
    if (request.method() == bhttp::verb::head) response.body().clear();
    write(std::move(response), keep);
  }

  void write(bhttp::response<bhttp::string_body> response, bool keep) {
    response.keep_alive(keep);
    response_ = std::move(response);
    stream_.expires_after(kExchangeMax);
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
  int& open_;
};

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
      return fail(Code::kFailed, "cannot serve HTTP on {}:{}: {}; choose another {}", endpoint.address().to_string(),
                  endpoint.port(), error.message(), key_);
    const auto bound = acceptor_.local_endpoint();
    address_ = fmt::format("http://{}:{}", bound.address().to_string(), bound.port());
    if (!bound.address().is_loopback())
      LOG_WARN("the status page at {} is open to whoever reaches this address", address_);
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return ok();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](ErrorCode error, tcp::socket socket) {
      if (!error && open_ < kConnectionsMax) std::make_shared<Session>(std::move(socket), answer_, open_)->read();
      if (error != asio::error::operation_aborted) accept();
    });
  }

  Handler answer_;
  std::string key_;
  int open_ = 0;  // the server's thread alone; outlives the sessions in context_
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  std::string address_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const Options& options, Handler answer) {
  const std::string& endpoint = options.endpoint;
  const auto colon = endpoint.rfind(':');
  std::uint16_t port = 0;
  ErrorCode error;
  const auto host = asio::ip::make_address(endpoint.substr(0, colon == std::string::npos ? 0 : colon), error);
  const char* end = endpoint.data() + endpoint.size();
  const auto [stop, bad] =
      std::from_chars(endpoint.data() + (colon == std::string::npos ? endpoint.size() : colon + 1), end, port);
  if (error || bad != std::errc() || stop != end)
    return fail(Code::kInvalid, "{} = \"{}\": give an IP address and a port, such as 127.0.0.1:8080", options.key,
                endpoint);
  auto server = std::make_unique<Beast>(std::move(answer), options.key);
  DYAD_TRYV(server->listen({host, port}));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace dyad::http
