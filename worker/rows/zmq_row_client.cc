// RowClient over one ServerLink a server. Rows are scattered out of the received frame and gradients gathered into the
// frame that is sent: one copy each way on this side.
#include <algorithm>
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/control/address.h"
#include "common/net/buffer_pool.h"
#include "common/net/poll.h"
#include "common/wire/codec.h"
#include "common/wire/row_values.h"
#include "worker/rows/make_row_client.h"
#include "worker/rows/route_plan.h"
#include "worker/rows/server_link.h"

namespace dyad::worker {
namespace {

using wire::Section;

// A pull goes to a server in pieces: while one is on its way, the server gathers the next and this side scatters the
// one before. A server holds 8 pulls of one peer (OpenPulls), of which half may be of one that it has given up.
constexpr std::size_t kPieceBytes = 1 << 20, kPiecesMax = 4;

class ZmqRowClient final : public RowClient {
 public:
  ZmqRowClient(const RowClientOptions& options, const wire::Routing& routing, std::vector<ServerLink> links)
      : options_(options),
        epoch_(routing.epoch),
        tables_(routing.tables),
        planner_(options.partition, routing.group_server, links.size()),
        links_(std::move(links)) {
    for (ServerLink& link : links_) poller_.add(link.connection());
  }

  Status start_pull(Step at_least, std::span<const PullRequest> requests) override;
  Status wait() override;
  Status push(std::span<const PushRequest> requests, const PushOptions& options) override;
  Status flush() override;
  RowTraffic traffic() const override;

 private:
  struct Piece {                                 // of the pull: these rows of each plan's part of the server
    std::uint64_t number = 0;                    // of the request
    std::size_t server = 0;
    struct Rows { std::size_t begin = 0, count = 0; };
    std::vector<Rows> rows;                      // [plans]
  };
  std::size_t dim(TableId table) const { return tables_[static_cast<std::size_t>(table)].width; }
  net::Frame header(std::uint64_t number, wire::Body body) const;
  static net::Frame key_frame(const std::shared_ptr<const RoutePlan>& plan, std::span<const RowKey> keys) {
    return net::Frame::keep(std::as_bytes(keys), plan);
  }
  std::size_t pushes_pending(std::size_t server) const;
  std::size_t pieces_of(std::size_t server) const;
  Status ask(Step at_least, std::size_t server, std::size_t piece, std::size_t pieces);
  net::Frame gather(const PushRequest& request, const RoutePlan& plan, std::size_t server);
  Status scatter(const Piece& piece, const LinkReply& reply);
  Status take_all();
  // Takes answers until `done`, waiting in between; bounded by the links' own times.
  template <class Done> Status pump_until(Done done);

  RowClientOptions options_;
  RoutingEpoch epoch_;
  Tables tables_;
  RoutePlanner planner_;
  std::vector<ServerLink> links_;
  std::vector<Piece> unanswered_;
  std::vector<PullRequest> pulled_;              // what start_pull was asked for
  std::vector<std::shared_ptr<const RoutePlan>> pulled_plans_;
  std::uint64_t next_number_ = 1;
  std::shared_ptr<net::BufferPool> buffers_ = std::make_shared<net::BufferPool>();
  net::Poller poller_;
  RowTraffic traffic_;
};

net::Frame ZmqRowClient::header(std::uint64_t number, wire::Body body) const {
  const wire::Sender me{wire::Role::kWorker, options_.rank.value, options_.incarnation, options_.run};
  return net::Frame::copy(wire::encode({me, number, epoch_, std::move(body)}));
}

Status ZmqRowClient::start_pull(Step at_least, std::span<const PullRequest> requests) {
  CHECK(unanswered_.empty());                    // one pull at a time
  DYAD_TRYV(take_all());
  traffic_.applied = Step{~std::uint64_t{0}};
  pulled_.assign(requests.begin(), requests.end());
  pulled_plans_.clear();
  for (const PullRequest& r : requests) {
    CHECK_EQ(r.out.size(), r.keys.size() * dim(r.table));
    pulled_plans_.push_back(planner_.plan(r.table, r.keys, r.by_key));
    traffic_.pulled_rows += r.keys.size();
  }
  for (std::size_t piece = 0; piece < kPiecesMax; ++piece)       // the first ones first: all servers begin at once
    for (std::size_t s = 0; s < links_.size(); ++s)
      if (const std::size_t pieces = pieces_of(s); piece < pieces) { DYAD_TRYV(ask(at_least, s, piece, pieces)); }
  return ok();
}

std::size_t ZmqRowClient::pieces_of(std::size_t server) const {
  std::size_t bytes = 0;
  for (const auto& plan : pulled_plans_)
    bytes += plan->parts[server].keys.size() * dim(plan->table) * wire::value_bytes(options_.values);
  return std::clamp<std::size_t>(bytes / kPieceBytes, 1, kPiecesMax);
}

Status ZmqRowClient::ask(Step at_least, std::size_t server, std::size_t piece, std::size_t pieces) {
  wire::Pull pull{at_least, options_.values, {}};
  net::Message message(1);
  Piece asked{next_number_, server, {}};
  for (const auto& plan : pulled_plans_) {
    const std::span<const RowKey> keys = plan->parts[server].keys;
    const std::size_t begin = keys.size() * piece / pieces, count = keys.size() * (piece + 1) / pieces - begin;
    asked.rows.push_back({begin, count});
    if (count == 0) continue;
    pull.sections.push_back({plan->table, static_cast<std::uint32_t>(count)});
    message.push_back(key_frame(plan, keys.subspan(begin, count)));
  }
  if (pull.sections.empty()) return ok();
  const std::uint64_t number = next_number_++;
  message[0] = header(number, std::move(pull));
  unanswered_.push_back(std::move(asked));
  return links_[server].send(number, std::move(message), steady_now_s());
}

Status ZmqRowClient::scatter(const Piece& piece, const LinkReply& reply) {
  const auto* pull = std::get_if<wire::PullReply>(&reply.body);
  if (pull == nullptr)
    return fail(Code::kInvalid, "server {} answered a pull with {}", piece.server, wire::body_name(reply.body));
  traffic_.applied = std::min(traffic_.applied, pull->applied);
  std::vector<wire::Bytes> bulk;
  for (std::size_t i = 1; i < reply.frames.size(); ++i) bulk.push_back(reply.frames[i].bytes());
  DYAD_TRY(views, wire::open_sections(*pull, bulk, tables_));
  std::size_t next = 0;
  for (std::size_t p = 0; p < pulled_plans_.size(); ++p) {
    const auto [begin, count] = piece.rows[p];
    if (count == 0) continue;
    if (next == views.size() || views[next].table != pulled_[p].table || views[next].count != count)
      return fail(Code::kInvalid, "server {} answered a pull with other sections than were asked for", piece.server);
    const wire::SectionView& view = views[next++];
    const std::size_t floats = dim(view.table), row_bytes = floats * wire::value_bytes(pull->values);
    const std::span<const std::uint32_t> positions = pulled_plans_[p]->parts[piece.server].positions;
    float* const out = pulled_[p].out.data();
    if (positions.empty())
      wire::from_wire(view.values.data(), count * floats, pull->values, 1.0f, out + begin * floats);
    else
      for (std::size_t i = 0; i < count; ++i)
        wire::from_wire(view.values.data() + i * row_bytes, floats, pull->values, 1.0f,
                        out + positions[begin + i] * floats);
    traffic_.pulled_bytes += view.values.size();
  }
  return ok();
}

Status ZmqRowClient::take_all() {
  const double now = steady_now_s();
  for (std::size_t s = 0; s < links_.size(); ++s) {
    while (true) {
      DYAD_TRY(reply, links_[s].take(now));
      if (!reply) break;
      const auto piece = std::find_if(unanswered_.begin(), unanswered_.end(),
                                      [&](const Piece& p) { return p.number == reply->number; });
      if (piece == unanswered_.end()) continue;  // acknowledges a push
      DYAD_TRYV(scatter(*piece, *reply));
      unanswered_.erase(piece);
    }
    DYAD_TRYV(links_[s].check_time(now));
  }
  return ok();
}

template <class Done> Status ZmqRowClient::pump_until(Done done) {
  while (true) {
    DYAD_TRYV(take_all());
    if (done()) return ok();
    if (options_.give_up) { DYAD_TRYV(options_.give_up()); }
    DYAD_TRYV(poller_.wait(static_cast<int>(std::clamp<std::uint32_t>(options_.resend_ms / 4, 1, 500))));
  }
}

Status ZmqRowClient::wait() {
  return pump_until([this] { return unanswered_.empty(); });
}

Status ZmqRowClient::flush() {
  return pump_until([this] {
    return std::all_of(links_.begin(), links_.end(), [](const ServerLink& l) { return l.pending() == 0; });
  });
}

net::Frame ZmqRowClient::gather(const PushRequest& request, const RoutePlan& plan, std::size_t server) {
  const RoutePlan::Part& part = plan.parts[server];
  const std::size_t floats = dim(request.table), row_bytes = floats * wire::value_bytes(options_.values);
  net::Frame frame = buffers_->take(part.keys.size() * row_bytes);
  std::byte* to = frame.writable().data();
  const float scale = wire::gradient_scale(options_.values);
  if (part.positions.empty())
    wire::to_wire(request.gradient.data(), part.keys.size() * floats, options_.values, scale, to);
  for (std::size_t i = 0; i < part.positions.size(); ++i)
    wire::to_wire(request.gradient.data() + part.positions[i] * floats, floats, options_.values, scale,
                  to + i * row_bytes);
  traffic_.pushed_bytes += frame.size();
  return frame;
}

// A pull's pieces are pending, too, and are not waited for here: in ssp mode the next step's are under way.
std::size_t ZmqRowClient::pushes_pending(std::size_t server) const {
  const auto pieces = std::count_if(unanswered_.begin(), unanswered_.end(),
                                    [server](const Piece& piece) { return piece.server == server; });
  return links_[server].pending() - static_cast<std::size_t>(pieces);
}

Status ZmqRowClient::push(std::span<const PushRequest> requests, const PushOptions& options) {
  DYAD_TRYV(pump_until([this] {
    for (std::size_t s = 0; s < links_.size(); ++s)
      if (pushes_pending(s) >= options_.unacknowledged_max) return false;
    return true;
  }));
  std::vector<std::shared_ptr<const RoutePlan>> plans;
  for (const PushRequest& r : requests) {
    CHECK_EQ(r.gradient.size(), r.keys.size() * dim(r.table));
    plans.push_back(planner_.plan(r.table, r.keys, r.by_key));
    traffic_.pushed_rows += r.keys.size();
  }
  for (std::size_t s = 0; s < links_.size(); ++s) {
    wire::Push push{options.step, options.learning_rate, options.cut, options_.values, {}};
    net::Message message(1);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (plans[i]->parts[s].keys.empty()) continue;
      push.sections.push_back({requests[i].table, static_cast<std::uint32_t>(plans[i]->parts[s].keys.size())});
      message.push_back(key_frame(plans[i], plans[i]->parts[s].keys));
      message.push_back(gather(requests[i], *plans[i], s));
    }
    const std::uint64_t number = next_number_++;
    message[0] = header(number, std::move(push));
    DYAD_TRYV(links_[s].send(number, std::move(message), steady_now_s()));
  }
  return take_all();
}

RowTraffic ZmqRowClient::traffic() const {
  RowTraffic traffic = traffic_;
  for (const ServerLink& link : links_) traffic.resent += link.resent();
  return traffic;
}

}  // namespace

Result<std::unique_ptr<RowClient>> make_row_client(net::Context& context, const RowClientOptions& options,
                                                   const wire::Routing& routing) {
  DYAD_TRYV(check(options.partition));
  DYAD_TRYV(check(routing.tables));
  if (routing.group_server.size() != options.partition.groups)
    return fail(Code::kInvalid, "routing names {} groups, servers.groups is {}", routing.group_server.size(),
                options.partition.groups);
  std::vector<ServerLink> links;
  for (std::uint32_t s = 0; s < routing.server_address.size(); ++s) {
    DYAD_TRY(link, ServerLink::open(context, {ServerId{s}, Incarnation{routing.server_incarnation.at(s)},
                                              {.endpoint = routing.server_address[s],
                                               .security = options.security,
                                               .local = control::server_socket(options.job_dir, ServerId{s})},
                                              options.timeout_ms, options.resend_ms, options.run}));
    links.push_back(std::move(link));
  }
  for (const std::uint32_t server : routing.group_server)
    if (server >= links.size()) return fail(Code::kInvalid, "routing names server {} of {}", server, links.size());
  return std::unique_ptr<RowClient>(std::make_unique<ZmqRowClient>(options, routing, std::move(links)));
}

}  // namespace dyad::worker
