#include "ps/service.h"

#include <algorithm>
#include <new>
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/wire/codec.h"

namespace dyad::ps {

struct Service::Request {                        // what came; kept until it is answered or applied
  net::Peer peer;
  wire::Sender sender;
  std::uint64_t number = 0;
  net::Message frames;                           // header first
  wire::ValueType type = wire::ValueType::kFp32;
  std::vector<wire::SectionView> views;          // into frames
  Split split;
  double received_s = 0;

  // The part of one owner. A section of which it has nothing has empty positions.
  PushPart part(std::size_t owner) const {
    return {views, split.empty() ? std::span<const std::vector<std::uint32_t>>{} : split[owner], type};
  }
};
struct Service::Pull {
  std::shared_ptr<Request> request;
  wire::PullReply reply;
  std::vector<net::Frame> values;                // [sections] being written by the owners
  std::atomic<std::size_t> remaining{0};         // owners that still write
};
struct Service::Cutting {                        // shards arrive here one by one
  Step step;
  std::vector<std::shared_ptr<const ShardSnapshot>> shards;
  std::atomic<std::size_t> remaining{0};
};

Service::~Service() { stop(); }
void Service::stop() {
  for (auto& owner : owners_) owner->stop();
}

Result<std::unique_ptr<Service>> Service::make(ServiceOptions options, Metrics& metrics) {
  DYAD_TRYV(check(options.partition));
  if (options.routing.group_server.size() != options.partition.groups)
    return fail(Code::kInvalid, "routing names {} groups, servers.groups is {}", options.routing.group_server.size(),
                options.partition.groups);
  std::unique_ptr<Service> service(new Service(std::move(options), metrics));
  const ServiceOptions& o = service->options_;
  for (std::uint32_t g = 0; g < o.partition.groups; ++g)
    if (o.routing.group_server[g] == o.id.value) service->groups_.push_back(GroupId{g});
  const std::size_t count = std::max<std::size_t>(1, std::min<std::size_t>(o.threads, service->groups_.size()));
  service->owner_of_.assign(o.partition.groups, -1);
  for (std::size_t i = 0; i < service->groups_.size(); ++i)
    service->owner_of_[service->groups_[i].value] = static_cast<int>(i * count / service->groups_.size());
  for (std::size_t i = 0; i < count; ++i) {
    DYAD_TRY(shard, Shard::make(o.shard));
    service->owners_.push_back(std::make_unique<Owner>(std::move(shard), count > 1));
  }
  return service;
}

Status Service::load(const std::filesystem::path& checkpoint, Step step) {
  for (std::size_t o = 0; o < owners_.size(); ++o) {
    std::vector<GroupId> groups;
    for (const GroupId group : groups_)
      if (owner_of_[group.value] == static_cast<int>(o)) groups.push_back(group);
    DYAD_TRYV(load_cut(checkpoint, step, options_.partition, groups, owners_[o]->shard(), std::atomic<bool>(false)));
  }
  std::size_t rows = 0;
  for (auto& owner : owners_) rows += owner->shard().rows();
  metrics_.rows = rows;
  metrics_.applied = step.value;
  return ok();
}

void Service::say(const Request& request, wire::Body body, std::vector<net::Frame> bulk) const {
  const wire::Envelope envelope{{wire::Role::kServer, options_.id.value, options_.incarnation, options_.run},
                                request.number,
                                options_.routing.epoch,
                                std::move(body)};
  net::Message message;
  message.push_back(net::Frame::copy(wire::encode(envelope)));
  for (net::Frame& frame : bulk) message.push_back(std::move(frame));
  metrics_.bytes_out += net::message_bytes(message);
  options_.reply(request.peer, std::move(message));
}

void Service::refuse(const Request& request, const Error& error) const {
  ++metrics_.refused;
  say(request, wire::ErrorReply{error});
}

void Service::handle(net::Incoming incoming) {
  auto request = std::make_shared<Request>();
  request->peer = std::move(incoming.peer);
  request->frames = std::move(incoming.message);
  request->received_s = steady_now_s();
  metrics_.bytes_in += net::message_bytes(request->frames);
  if (request->frames.empty()) return refuse(*request, fail(Code::kInvalid, "empty message"));
  auto envelope = wire::decode(request->frames[0].bytes());
  if (!envelope) return refuse(*request, envelope.error());
  request->sender = envelope.value().sender;
  request->number = envelope.value().request;
  const Status opened = open(*request, envelope.value());
  if (!opened) return refuse(*request, opened.error());
  if (std::holds_alternative<wire::Pull>(envelope.value().body)) return on_pull(std::move(request), envelope.value());
  on_push(std::move(request), envelope.value());
}

Status Service::open(Request& request, const wire::Envelope& envelope) {
  if (envelope.sender.run != options_.run)
    return fail(Code::kStale, "{} {} belongs to run {} of the job, server {} to run {}: one of them is a leftover",
                wire::role_name(envelope.sender.role), envelope.sender.id, hex64(envelope.sender.run.value),
                options_.id, hex64(options_.run.value));
  if (envelope.routing != options_.routing.epoch)
    return fail(Code::kStale, "request by routing epoch {}, server {} is at {}: ask the coordinator for the routing",
                envelope.routing, options_.id, options_.routing.epoch);
  std::vector<wire::Bytes> bulk;
  for (std::size_t i = 1; i < request.frames.size(); ++i) bulk.push_back(request.frames[i].bytes());
  const auto* pull = std::get_if<wire::Pull>(&envelope.body);
  const auto* push = std::get_if<wire::Push>(&envelope.body);
  if (pull == nullptr && push == nullptr)
    return fail(Code::kInvalid, "a parameter server answers Pull and Push, not {}", wire::body_name(envelope.body));
  if (push != nullptr && envelope.sender.role != wire::Role::kWorker) return fail(Code::kInvalid, "only workers push");
  request.type = pull != nullptr ? pull->values : push->values;
  DYAD_TRY(views,
           pull != nullptr ? wire::open_sections(*pull, bulk) : wire::open_sections(*push, bulk, options_.shard.dims));
  request.views = std::move(views);
  DYAD_TRYV(check_rows(request, pull != nullptr));
  DYAD_TRY(parts, split(request.views));
  request.split = std::move(parts);
  return ok();
}

// What a peer may ask: a gradient of a row comes once, no row is made that the catalogue does not have, and no pull
// asks for more memory than a frame.
Status Service::check_rows(const Request& request, bool pull) const {
  Status status = wire::check_keys(request.views, options_.routing.key_end);
  if (status && pull)
    status = wire::check_reply(request.views, options_.shard.dims, request.type, options_.frame_bytes_max);
  if (status) return ok();
  return fail(status.error().code, "{} of {} {}, incarnation {}, {}", pull ? "the pull" : "the push",
              wire::role_name(request.sender.role), request.sender.id, request.sender.incarnation,
              status.error().message);
}

Result<Service::Split> Service::split(const std::vector<wire::SectionView>& views) const {
  Split parts(owners_.size() > 1 ? owners_.size() : 0, std::vector<std::vector<std::uint32_t>>(views.size()));
  for (std::size_t s = 0; s < views.size(); ++s)
    for (std::size_t i = 0; i < views[s].keys.size(); ++i) {
      const GroupId group = options_.partition.group(options_.partition.bucket(views[s].table, views[s].keys[i]));
      const int owner = owner_of_[group.value];
      if (owner < 0)
        return fail(Code::kStale, "key {} of table {} (group {}) is not on server {} in routing epoch {}",
                    views[s].keys[i], table_name(views[s].table), group, options_.id, options_.routing.epoch);
      if (!parts.empty()) parts[static_cast<std::size_t>(owner)][s].push_back(static_cast<std::uint32_t>(i));
    }
  return parts;
}

void Service::on_pull(std::shared_ptr<Request> request, const wire::Envelope& envelope) {
  const Step at_least = std::get<wire::Pull>(envelope.body).at_least;
  for (auto& [token, waiting] :
       pulls_)  // asked again while it waits: say that we are alive; a reconnected peer has a new address
    if (waiting->request->number == request->number && waiting->request->sender.role == request->sender.role &&
        waiting->request->sender.id == request->sender.id &&
        waiting->request->sender.incarnation == request->sender.incarnation) {
      waiting->request->peer = request->peer;
      return say(*request, wire::Ack{});
    }
  auto pull = std::make_shared<Pull>();
  pull->request = std::move(request);
  if (clock_.applied() >= at_least) return answer_pull(std::move(pull));
  const Token token = next_token_++;
  const Status waits = clock_.wait(at_least, token);
  if (!waits) return refuse(*pull->request, waits.error());
  pulls_.emplace(token, std::move(pull));
  metrics_.waiting = pulls_.size();
}

void Service::answer_pull(std::shared_ptr<Pull> pull) {
  const Request& request = *pull->request;
  pull->reply = {clock_.applied(), request.type, {}};
  try {
    for (const wire::SectionView& view : request.views) {
      pull->reply.sections.push_back({view.table, static_cast<std::uint32_t>(view.count)});
      pull->values.push_back(buffers_->take(view.count * options_.shard.dims[static_cast<std::size_t>(view.table)] *
                                            wire::value_bytes(request.type)));
    }
  } catch (const std::bad_alloc&) {              // the rows are worth more than one answer: it will be asked for again
    return refuse(request, fail(Code::kOverloaded, "server {} has no memory for the answer", options_.id));
  }
  metrics_.pull_wait.add(steady_now_s() - request.received_s);
  ++metrics_.pulls;
  for (const wire::SectionView& view : request.views) metrics_.pulled_rows += view.count;
  pull->remaining = owners_.size();
  for (std::size_t o = 0; o < owners_.size(); ++o)
    owners_[o]->run([this, pull, o](Shard& shard) {
      const Request& r = *pull->request;
      for (std::size_t s = 0; s < r.views.size(); ++s) {
        const std::span<const std::uint32_t> positions =
            r.split.empty() ? std::span<const std::uint32_t>{} : r.split[o][s];
        if (r.split.empty() || !positions.empty())
          shard.gather(r.views[s], positions, r.type, pull->values[s].writable().data());
      }
      if (pull->remaining.fetch_sub(1, std::memory_order_acq_rel) == 1)
        say(r, std::move(pull->reply), std::move(pull->values));
    });
}

void Service::on_push(std::shared_ptr<Request> request, const wire::Envelope& envelope) {
  const auto& push = std::get<wire::Push>(envelope.body);
  const Token token = next_token_++;
  const auto verdict = clock_.push(
      {WorkerRank{request->sender.id}, request->sender.incarnation, push.step, push.learning_rate, push.cut, token});
  for (const Token gone : clock_.dropped()) pushes_.erase(gone);
  if (!verdict) return refuse(*request, verdict.error());
  const bool duplicate = verdict.value() == StepClock::Verdict::kDuplicate;
  say(*request, wire::PushReply{push.step, duplicate});
  if (duplicate) {
    ++metrics_.duplicates;
    return;
  }
  ++metrics_.pushes;
  for (const auto& view : request->views) metrics_.pushed_rows += view.count;
  pushes_.emplace(token, std::move(request));
  apply_ready();
}

void Service::apply_ready() {
  while (const auto step = clock_.next()) {
    apply(*step);
    if (step->freeze) freeze(step->step);
    for (const Token token : clock_.ready_pulls()) {
      const auto at = pulls_.find(token);
      answer_pull(std::move(at->second));
      pulls_.erase(at);
    }
  }
  metrics_.applied = clock_.applied().value;
  metrics_.held = pushes_.size();
  metrics_.waiting = pulls_.size();
}

void Service::apply(const ApplyStep& step) {
  auto requests =
      std::make_shared<std::vector<std::shared_ptr<Request>>>();  // holds the received frames until all owners are done
  for (const Token token : step.pushes) {
    const auto at = pushes_.find(token);
    CHECK(at != pushes_.end());
    requests->push_back(std::move(at->second));
    pushes_.erase(at);
  }
  for (std::size_t o = 0; o < owners_.size(); ++o)
    owners_[o]->run([this, requests, o, rate = step.learning_rate](Shard& shard) {
      const double start = steady_now_s();
      const std::size_t before = shard.rows();
      std::vector<PushPart> parts;
      for (const auto& request : *requests) parts.push_back(request->part(o));
      metrics_.updated_rows += shard.apply(rate, parts);
      metrics_.rows += shard.rows() - before;
      metrics_.apply.add(steady_now_s() - start);
    });
}

void Service::freeze(Step step) {
  auto cutting = std::make_shared<Cutting>();
  cutting->step = step;
  cutting->shards.resize(owners_.size());
  cutting->remaining = owners_.size();
  for (std::size_t o = 0; o < owners_.size(); ++o)
    owners_[o]->run([this, cutting, o](Shard& shard) {
      cutting->shards[o] = shard.freeze(cutting->step);
      if (cutting->remaining.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      options_.on_freeze(std::make_shared<Cut>(Cut{cutting->step, std::move(cutting->shards)}));
    });
}

}  // namespace dyad::ps
