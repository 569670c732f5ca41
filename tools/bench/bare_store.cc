#include "tools/bench/bare_store.h"

#include <algorithm>

namespace dyad::bench {
namespace {

constexpr std::size_t kHeaderBytes = 128;                      // about a header's

struct Block {                                                 // what every frame is a part of
  std::shared_ptr<std::vector<std::byte>> bytes = std::make_shared<std::vector<std::byte>>();
  net::Frame frame(std::size_t size) {
    if (bytes->size() < size) bytes = std::make_shared<std::vector<std::byte>>(size, std::byte{1});
    return net::Frame::keep(std::span(*bytes).first(size), bytes);
  }
};

class BareClient final : public Client {
 public:
  BareClient(const StoreOptions& options, const std::vector<net::Listener>& listeners)
      : row_bytes_(options.dim * options.value_bytes()) {
    for (const auto& l : listeners)
      links_.push_back(net::Connection::open(context_, {.endpoint = l.endpoint()}).value());
  }
  void pull(const Batch& batch) override { ask(batch, false); }
  void push(const Batch& batch) override { ask(batch, true); }

 private:
  void ask(const Batch& batch, bool values) {
    for (auto& link : links_) {
      net::Message message;
      message.push_back(net::Frame(kHeaderBytes));
      for (const auto& keys : batch.keys) {
        const std::size_t rows = keys.size() / links_.size();
        message.push_back(block_.frame(rows * sizeof(RowKey)));
        if (values) message.push_back(block_.frame(rows * row_bytes_));
      }
      link.send(std::move(message)).value();
    }
    for (auto& link : links_) (void)link.recv(-1).value();
  }
  std::size_t row_bytes_;
  net::Context context_;
  std::vector<net::Connection> links_;
  Block block_;
};

}  // namespace

BareStore::BareStore(const StoreOptions& options) : options_(options) {
  for (std::uint32_t s = 0; s < options.servers; ++s) {
    contexts_.push_back(std::make_unique<net::Context>());
    listeners_.push_back(net::Listener::bind(*contexts_.back(), {}).value());
  }
  for (auto& listener : listeners_) threads_.emplace_back([this, &listener] { serve(listener); });
}
BareStore::~BareStore() {
  stopping_ = true;
  for (auto& thread : threads_) thread.join();
}

void BareStore::serve(net::Listener& listener) const {
  Block block;
  while (!stopping_) {
    const auto in = listener.recv(100).value();
    if (!in) continue;
    net::Message reply;
    reply.push_back(net::Frame(kHeaderBytes));
    if (in->message.size() == 1 + kTables)                     // a pull
      for (int t = 0; t < kTables; ++t)
        reply.push_back(block.frame(in->message[1 + static_cast<std::size_t>(t)].size() / sizeof(RowKey) *
                                    options_.dim * options_.value_bytes()));
    listener.send(in->peer, std::move(reply)).value();
  }
}

std::unique_ptr<Client> BareStore::client() const { return std::make_unique<BareClient>(options_, listeners_); }

}  // namespace dyad::bench
