#include "ps/service.h"

#include <algorithm>
#include <new>
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/wire/codec.h"

namespace dyad::ps {

constexpr std::size_t kHeldPerRank = 8;

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
  bool computing = false;
  std::atomic<bool> answered{false};
};
struct Service::Cutting {                        // shards arrive here one by one
  Step step;
  std::vector<std::shared_ptr<const ShardSnapshot>> shards;
  std::atomic<std::size_t> remaining{0};
};

Service::Service(ServiceOptions options, Metrics& metrics)
    : options_(std::move(options)), metrics_(metrics), clock_(options_.clock), open_({.ranks = options_.clock.ranks}) {
  metrics.applied = options_.clock.start.value;
}
Service::~Service() { stop(); }
void Service::stop() {
  loading_.reset();
  for (auto& owner : owners_) owner->stop();
}

Result<std::unique_ptr<Service>> Service::make(ServiceOptions options, Metrics& metrics) {
  DYAD_TRYV(check(options.partition));
  DYAD_TRYV(check(options.routing.tables));
  if (options.routing.group_server.size() != options.partition.groups)
    return fail(Code::kInvalid, "routing names {} groups, servers.groups is {}", options.routing.group_server.size(),
                options.partition.groups);
  std::unique_ptr<Service> service(new Service(std::move(options), metrics));
  const ServiceOptions& o = service->options_;
  for (std::uint32_t g = 0; g < o.partition.groups; ++g)
    if (o.routing.group_server[g] == o.id.value) service->groups_.push_back(GroupId{g});
  const std::size_t count = std::max<std::size_t>(1, std::min<std::size_t>(o.threads, service->groups_.size()));
  service->owner_of_.assign(o.partition.buckets, -1);
  const std::uint32_t run = o.partition.buckets_per_group();
  for (std::size_t i = 0; i < service->groups_.size(); ++i)
    std::fill_n(service->owner_of_.begin() + service->groups_[i].value * run, run,
                static_cast<int>(i * count / service->groups_.size()));
  for (std::size_t i = 0; i < count; ++i) {
    DYAD_TRY(shard, Shard::make({o.routing.tables, &metrics.row_memory}));
    service->owners_.push_back(std::make_unique<Owner>(std::move(shard), count > 1));
  }
  return service;
}

void Service::load(const std::filesystem::path& checkpoint, Step step, std::uint64_t manifest) {
  std::vector<LoadPart> parts;
  for (auto& owner : owners_) parts.push_back({&owner->shard(), {}});
  for (const GroupId group : groups_) {
    const int owner = owner_of_[group.value * options_.partition.buckets_per_group()];
    parts[static_cast<std::size_t>(owner)].groups.push_back(group);
  }
  const LoadOptions from{checkpoint, step, options_.partition, manifest};
  loading_ = std::make_unique<Loading>(from, std::move(parts), options_.wake);
}

void Service::loaded() {
  loading_.reset();
  std::size_t rows = 0;
  for (auto& owner : owners_) rows += owner->shard().rows();
  metrics_.rows = rows;
  answer_ready();
  apply_ready();
}

Status Service::tick(double now_s) {
  if (loading_) {
    const auto end = loading_->end();
    if (end && !*end) return *end;
    if (end) loaded();
  }
  close_answered();
  for (const Token token : open_.expire(now_s)) close(token);
  while (!no_room_.empty()) {
    const auto at = pulls_.find(no_room_.front());
    if (at != pulls_.end()) {
      if (!room(reply_bytes(*at->second->request), buffers_->lent_bytes())) break;
      compute(at->first, *at->second);
    }
    no_room_.pop_front();
  }
  metrics_.waiting = pulls_.size();
  if (const char* what = gave_up_)
    return fail(Code::kOverloaded,
                "server {} has no memory to {}: {} rows in {} bytes are held; use more servers or a machine with more "
                "memory",
                options_.id, what, metrics_.rows.load(), metrics_.row_memory.load());
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
  if (gave_up_ != nullptr) return;
  auto request = std::make_shared<Request>();
  request->peer = std::move(incoming.peer);
  request->frames = std::move(incoming.message);
  request->received_s = steady_now_s();
  metrics_.bytes_in += net::message_bytes(request->frames);
  take(std::move(request));
}

// What a request needs before anything has changed may be missing; what comes later may not.
void Service::take(std::shared_ptr<Request> request) {
  if (request->frames.empty()) return refuse(*request, fail(Code::kInvalid, "empty message"));
  auto envelope = wire::decode(request->frames[0].bytes());
  if (!envelope) return refuse(*request, envelope.error());
  request->sender = envelope.value().sender;
  request->number = envelope.value().request;
  serve(std::move(request), envelope.value());
}

void Service::give_up(const char* what) {
  const char* none = nullptr;
  gave_up_.compare_exchange_strong(none, what);
  options_.wake();
}

// Nothing more is done, and nothing answered, once a piece of work was left undone: the rows are no longer whole.
template <class Work> void Service::on_owner(std::size_t owner, const char* what, Work work) {
  owners_[owner]->run([this, what, work = std::move(work)](Shard& shard) {
    if (gave_up_ != nullptr) return;
    try {
      work(shard);
    } catch (const std::bad_alloc&) {
      give_up(what);
    }
  });
}

void Service::serve(std::shared_ptr<Request> request, const wire::Envelope& envelope) {
  bool unknown = false;
  const Status admitted = admit(envelope, unknown);
  if (!admitted) return refuse(*request, admitted.error());
  if (unknown) return hold(std::move(request));
  Status opened = ok();
  try {
    opened = open(*request, envelope);
  } catch (const std::bad_alloc&) {
    opened = fail(Code::kOverloaded, "server {} has no memory for a message of {} bytes: {} bytes of rows are held",
                  options_.id, net::message_bytes(request->frames), metrics_.row_memory.load());
  }
  if (!opened) return refuse(*request, opened.error());
  try {
    if (std::holds_alternative<wire::Pull>(envelope.body)) on_pull(std::move(request), envelope);
    else on_push(std::move(request), envelope);
  } catch (const std::bad_alloc&) {
    give_up("take a message");
  }
}

// Whose rows and gradients these are: a process that the coordinator knows under this incarnation, or nobody's.
Status Service::admit(const wire::Envelope& envelope, bool& unknown) const {
  const wire::Sender& sender = envelope.sender;
  if (sender.run != options_.run)
    return fail(Code::kStale, "{} {} belongs to run {} of the job, server {} to run {}: one of them is a leftover",
                wire::role_name(sender.role), sender.id, hex64(sender.run.value), options_.id,
                hex64(options_.run.value));
  if (envelope.routing != options_.routing.epoch)
    return fail(Code::kStale, "request by routing epoch {}, server {} is at {}: ask the coordinator for the routing",
                envelope.routing, options_.id, options_.routing.epoch);
  const auto& workers = options_.routing.worker_incarnation;
  if (sender.role != wire::Role::kWorker)
    return fail(Code::kInvalid, "only workers pull and push, not {}", wire::role_name(sender.role));
  if (workers.empty()) return ok();              // a server without a coordinator
  if (sender.id >= workers.size())
    return fail(Code::kInvalid, "worker {} of a job of {}: do all processes run the same configuration?", sender.id,
                workers.size());
  unknown = workers[sender.id] == 0;
  if (unknown || workers[sender.id] == sender.incarnation.value) return ok();
  return fail(Code::kStale, "worker {} with incarnation {} takes no part, incarnation {} does: leave and register anew",
              sender.id, sender.incarnation, workers[sender.id]);
}

void Service::hold(std::shared_ptr<Request> request) {
  if (held_.size() >= kHeldPerRank * options_.routing.worker_incarnation.size())
    return refuse(*request, fail(Code::kOverloaded, "{} requests wait for the coordinator's word", held_.size()));
  say(*request, wire::Ack{});
  held_.push_back(std::move(request));
  wants_workers_ = true;
}

void Service::know_workers(std::vector<std::uint64_t> incarnations, double asked_s) {
  if (incarnations.size() != options_.routing.worker_incarnation.size()) return;
  options_.routing.worker_incarnation = std::move(incarnations);
  for (auto& request : std::exchange(held_, {})) {
    const auto envelope = wire::decode(request->frames[0].bytes());
    if (options_.routing.worker_incarnation[request->sender.id] == 0 && request->received_s < asked_s)
      refuse(*request, fail(Code::kStale, "worker {} with incarnation {} is not registered: register first",
                            request->sender.id, request->sender.incarnation));
    else serve(std::move(request), envelope.value());                // or is held again: it came after the question
  }
  wants_workers_ = !held_.empty();
}

Status Service::open(Request& request, const wire::Envelope& envelope) {
  std::vector<wire::Bytes> bulk;
  for (std::size_t i = 1; i < request.frames.size(); ++i) bulk.push_back(request.frames[i].bytes());
  const auto* pull = std::get_if<wire::Pull>(&envelope.body);
  const auto* push = std::get_if<wire::Push>(&envelope.body);
  if (pull == nullptr && push == nullptr)
    return fail(Code::kInvalid, "a parameter server answers Pull and Push, not {}", wire::body_name(envelope.body));
  request.type = pull != nullptr ? pull->values : push->values;
  const Tables& tables = options_.routing.tables;
  DYAD_TRY(views,
           pull != nullptr ? wire::open_sections(*pull, bulk, tables) : wire::open_sections(*push, bulk, tables));
  request.views = std::move(views);
  DYAD_TRYV(check_rows(request, pull != nullptr));
  DYAD_TRY(parts, split(request.views));
  request.split = std::move(parts);
  return ok();
}

// What a peer may ask: a gradient of a row comes once and is a number, no row is made that the catalogue does not have,
// and no pull asks for more memory than a frame.
Status Service::check_rows(const Request& request, bool pull) const {
  Status status = wire::check_keys(request.views, options_.routing.tables);
  if (status && pull)
    status = wire::check_reply(request.views, options_.routing.tables, request.type, options_.frame_bytes_max);
  if (status && !pull) status = wire::check_finite(request.views, options_.routing.tables, request.type);
  if (status) return ok();
  return fail(status.error().code, "{} of {} {}, incarnation {}, {}", pull ? "the pull" : "the push",
              wire::role_name(request.sender.role), request.sender.id, request.sender.incarnation,
              status.error().message);
}

Result<Service::Split> Service::split(const std::vector<wire::SectionView>& views) const {
  if (owners_.size() == 1 && groups_.size() == options_.partition.groups) return Split{};   // all is this one's
  Split parts(owners_.size() > 1 ? owners_.size() : 0, std::vector<std::vector<std::uint32_t>>(views.size()));
  for (std::size_t s = 0; s < views.size(); ++s)
    for (std::size_t i = 0; i < views[s].keys.size(); ++i) {
      const BucketId bucket = options_.partition.bucket(views[s].table, views[s].keys[i]);
      const int owner = owner_of_[bucket.value];
      if (owner < 0)
        return fail(Code::kStale, "key {} of table {} (group {}) is not on server {} in routing epoch {}",
                    views[s].keys[i], name_of(options_.routing.tables, views[s].table),
                    options_.partition.group(bucket), options_.id,
                    options_.routing.epoch);
      if (!parts.empty()) parts[static_cast<std::size_t>(owner)][s].push_back(static_cast<std::uint32_t>(i));
    }
  return parts;
}

// Not Ack, which a client believes for a while only: how long a disk takes is nobody's fault.
void Service::ask_patience(const Request& request) const {
  if (loading_)
    say(request, wire::ErrorReply{fail(Code::kNotFound, "server {} loads its rows of step {}", options_.id,
                                       loading_->step())});
  else say(request, wire::Ack{});
}

void Service::on_pull(std::shared_ptr<Request> request, const wire::Envelope& envelope) {
  const Step at_least = std::get<wire::Pull>(envelope.body).at_least;
  const Token token = next_token_++;
  close_answered();
  const auto known = open_.ask({WorkerRank{request->sender.id}, request->sender.incarnation, request->number}, token,
                               request->received_s);
  if (!known) return refuse(*request, known.error());
  if (known.value()) {                           // asked again
    Pull& pull = *pulls_.at(*known.value());
    if (!pull.computing) pull.request->peer = request->peer;       // a reconnected peer has a new address
    return ask_patience(*request);
  }
  auto pull = std::make_shared<Pull>();
  pull->request = std::move(request);
  const Request& asked = *pull->request;
  pulls_.emplace(token, pull);
  if (loading_ || clock_.applied() < at_least) {
    const Status waits = clock_.wait(at_least, token);
    if (!waits) refuse(asked, waits.error()), close(token);
    else if (loading_) ask_patience(asked);
  } else {
    answer_pull(token);
  }
  metrics_.waiting = pulls_.size();
}

void Service::close(Token token) {
  open_.close(token);
  clock_.forget(token);
  pulls_.erase(token);
}

void Service::close_answered() {
  for (auto at = pulls_.begin(); at != pulls_.end();) {
    const auto pull = at++;
    if (pull->second->answered) close(pull->first);
  }
}

std::uint64_t Service::reply_bytes(const Request& request) const {
  std::uint64_t bytes = 0;
  for (const wire::SectionView& view : request.views)
    bytes += view.count * wire::row_bytes(options_.routing.tables, view.table, request.type);
  return bytes;
}

void Service::answer_pull(Token token) {
  Pull& pull = *pulls_.at(token);
  if (!no_room_.empty() || !room(reply_bytes(*pull.request), buffers_->lent_bytes())) no_room_.push_back(token);
  else compute(token, pull);
}

void Service::compute(Token token, Pull& of) {
  const Request& request = *of.request;
  of.reply = {clock_.applied(), request.type, {}};
  try {
    for (const wire::SectionView& view : request.views) {
      of.reply.sections.push_back({view.table, static_cast<std::uint32_t>(view.count)});
      of.values.push_back(
          buffers_->take(view.count * wire::row_bytes(options_.routing.tables, view.table, request.type)));
    }
  } catch (const std::bad_alloc&) {              // the rows are worth more than one answer: it will be asked for again
    refuse(request, fail(Code::kOverloaded,
                         "server {} has no memory for the {} bytes that worker {} asked for: {} rows in {} bytes are "
                         "held",
                         options_.id, reply_bytes(request), request.sender.id, metrics_.rows.load(),
                         metrics_.row_memory.load()));
    return close(token);
  }
  metrics_.pull_wait.add(steady_now_s() - request.received_s);
  ++metrics_.pulls;
  for (const wire::SectionView& view : request.views) metrics_.pulled_rows += view.count;
  of.computing = true;
  of.remaining = owners_.size();
  const std::shared_ptr<Pull> pull = pulls_.at(token);
  for (std::size_t o = 0; o < owners_.size(); ++o)
    on_owner(o, "answer a pull", [this, pull, o](Shard& shard) {
      const Request& r = *pull->request;
      for (std::size_t s = 0; s < r.views.size(); ++s) {
        const std::span<const std::uint32_t> positions =
            r.split.empty() ? std::span<const std::uint32_t>{} : r.split[o][s];
        if (r.split.empty() || !positions.empty())
          shard.gather(r.views[s], positions, r.type, pull->values[s].writable().data());
      }
      if (pull->remaining.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      say(r, std::move(pull->reply), std::move(pull->values));
      pull->answered = true;
    });
  if (pull->answered) close(token);
}

void Service::on_push(std::shared_ptr<Request> request, const wire::Envelope& envelope) {
  const auto& push = std::get<wire::Push>(envelope.body);
  const std::uint64_t queued = *queued_bytes_;
  if (!room(net::message_bytes(request->frames), queued))
    return refuse(*request, fail(Code::kOverloaded, "server {} has {} bytes of pushes to apply first", options_.id,
                                 queued));
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

void Service::answer_ready() {
  for (const Token token : clock_.ready_pulls()) answer_pull(token);
}

void Service::apply_ready() {
  while (!loading_) {
    const auto step = clock_.next();
    if (!step) break;
    apply(*step);
    if (step->freeze) freeze(step->step);
    answer_ready();
  }
  metrics_.applied = clock_.applied().value;
  metrics_.held = pushes_.size();
  metrics_.waiting = pulls_.size();
}

void Service::apply(const ApplyStep& step) {
  constexpr std::uint64_t kEach = 4096;          // an empty push is work too
  struct Work {                                  // holds the received frames until all owners are done
    std::vector<std::shared_ptr<Request>> requests;
    std::shared_ptr<std::atomic<std::uint64_t>> queued;
    std::uint64_t bytes = 0;
    ~Work() { *queued -= bytes; }
  };
  auto work = std::make_shared<Work>();
  work->queued = queued_bytes_;
  for (const Token token : step.pushes) {
    const auto at = pushes_.find(token);
    CHECK(at != pushes_.end());
    work->bytes += net::message_bytes(at->second->frames) + kEach;
    work->requests.push_back(std::move(at->second));
    pushes_.erase(at);
  }
  *queued_bytes_ += work->bytes;
  for (std::size_t o = 0; o < owners_.size(); ++o)
    on_owner(o, "apply a step", [this, work, o, rate = step.learning_rate](Shard& shard) {
      const double start = steady_now_s();
      const std::size_t before = shard.rows();
      std::vector<PushPart> parts;
      for (const auto& request : work->requests) parts.push_back(request->part(o));
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
    on_owner(o, "freeze a cut", [this, cutting, o](Shard& shard) {
      cutting->shards[o] = shard.freeze(cutting->step);
      if (cutting->remaining.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      options_.on_freeze(std::make_shared<Cut>(Cut{cutting->step, std::move(cutting->shards)}));
    });
}

}  // namespace dyad::ps
