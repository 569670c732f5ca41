// The messages to and from the coordinator.
#include <cstring>
#include <kj/debug.h>
#include "common/wire/codec_parts.h"

namespace dyad::wire::parts {
namespace {

// What a peer may say is bounded here, for all of it may end up in a journal, in logs and in metrics.
constexpr std::size_t kNameBytesMax = 256, kTextBytesMax = 4096;
constexpr unsigned kListMax = 1024;                      // of metrics and facts

// Refuses a zero byte inside: Cap'n Proto lets one in but cuts the text there when it is encoded again.
std::string text(capnp::Text::Reader t) {
  KJ_REQUIRE(t.size() <= kTextBytesMax, "a text that is too long", t.size());
  KJ_REQUIRE(std::memchr(t.begin(), 0, t.size()) == nullptr, "a text with a zero byte");
  return {t.begin(), t.size()};
}
// Addresses, hosts, states, metrics.
std::string name(capnp::Text::Reader t) {
  KJ_REQUIRE(t.size() <= kNameBytesMax, "a name that is too long", t.size());
  std::string checked = text(t);
  for (const char c : checked)
    KJ_REQUIRE(static_cast<unsigned char>(c) >= ' ' && c != 0x7f, "a name with a control character");
  return checked;
}
// A text of ours that may quote a peer.
std::string cut_short(const std::string& text) { return text.substr(0, kTextBytesMax); }

template <class List> void put_numbers(const std::map<std::string, double>& from, List to) {
  unsigned i = 0;
  for (const auto& [name, value] : from) {
    to[i].setName(name);
    to[i++].setValue(value);
  }
}
template <class List> std::map<std::string, double> get_numbers(List from) {
  KJ_REQUIRE(from.size() <= kListMax, "too many metrics", from.size());
  std::map<std::string, double> numbers;
  for (const auto n : from) numbers.emplace(name(n.getName()), n.getValue());
  return numbers;
}

void put_tables(const Tables& from, capnp::List<schema::Table>::Builder to) {
  unsigned i = 0;
  for (const TableSpec& table : from) {
    auto out = to[i++];
    out.setName(table.name);
    out.setWidth(table.width);
    out.setKeyEnd(table.key_end);
    out.setSeed(table.seed);
    out.setStream(table.stream);
    out.setInitStd(table.init_std);
    out.setOptimizer(table.optimizer.name);
    out.setBeta1(table.optimizer.beta1);
    out.setBeta2(table.optimizer.beta2);
    out.setEps(table.optimizer.eps);
    out.setWeightDecay(table.optimizer.weight_decay);
    out.setClip(table.optimizer.clip);
  }
}
Result<Tables> get_tables(capnp::List<schema::Table>::Reader from) {
  KJ_REQUIRE(from.size() <= kTablesMax, "too many tables", from.size());
  Tables tables;
  for (const auto t : from)
    tables.push_back({name(t.getName()), t.getWidth(), t.getKeyEnd(), t.getSeed(), t.getStream(), t.getInitStd(),
                      {name(t.getOptimizer()), t.getBeta1(), t.getBeta2(), t.getEps(), t.getWeightDecay(),
                       t.getClip()}});
  if (!tables.empty()) { DYAD_TRYV(check(tables)); }
  return tables;
}

}  // namespace

void put(const Register& m, schema::Register::Builder to) {
  to.setAddress(m.address);
  to.setConfigDigest(m.config_digest);
  to.setPid(m.pid);
  to.setHost(m.host);
  auto data = to.initData(m.data.size());
  unsigned i = 0;
  for (const auto& [name, digest] : m.data) {
    data[i].setName(name);
    data[i++].setValue(digest);
  }
  put_tables(m.tables, to.initTables(m.tables.size()));
}
Result<Register> get(schema::Register::Reader from) {
  Register m{name(from.getAddress()), from.getConfigDigest(), from.getPid(), name(from.getHost()), {}, {}};
  KJ_REQUIRE(from.getData().size() <= kListMax, "too many parts of data", from.getData().size());
  for (const auto part : from.getData()) m.data.emplace(name(part.getName()), part.getValue());
  DYAD_TRY(tables, get_tables(from.getTables()));
  m.tables = std::move(tables);
  return m;
}

void put(const Registered& m, schema::Registered::Builder to) {
  to.setIncarnation(m.incarnation.value);
  to.setResume(m.resume.value);
  to.setCheckpoint(m.checkpoint);
  to.setRun(m.run.value);
  to.setGeneration(m.generation.value);
  to.setManifest(m.manifest);
}
Result<Registered> get(schema::Registered::Reader from) {
  return Registered{Incarnation{from.getIncarnation()}, Step{from.getResume()}, text(from.getCheckpoint()),
                    RunId{from.getRun()}, RoutingEpoch{from.getGeneration()}, from.getManifest()};
}

void put(const Routing& m, schema::Routing::Builder to) {
  to.setEpoch(m.epoch.value);
  auto groups = to.initGroupServer(m.group_server.size());
  for (unsigned i = 0; i < groups.size(); ++i) groups.set(i, m.group_server[i]);
  auto addresses = to.initServerAddress(m.server_address.size());
  for (unsigned i = 0; i < addresses.size(); ++i) addresses.set(i, m.server_address[i]);
  auto incarnations = to.initServerIncarnation(m.server_incarnation.size());
  for (unsigned i = 0; i < incarnations.size(); ++i) incarnations.set(i, m.server_incarnation[i]);
  put_tables(m.tables, to.initTables(m.tables.size()));
  auto workers = to.initWorkerIncarnation(m.worker_incarnation.size());
  for (unsigned i = 0; i < workers.size(); ++i) workers.set(i, m.worker_incarnation[i]);
}
Result<Routing> get(schema::Routing::Reader from) {
  Routing m;
  m.epoch = RoutingEpoch{from.getEpoch()};
  for (const auto server : from.getGroupServer()) m.group_server.push_back(server);
  for (const auto address : from.getServerAddress()) m.server_address.push_back(name(address));
  for (const auto incarnation : from.getServerIncarnation()) m.server_incarnation.push_back(incarnation);
  if (m.server_address.size() != m.server_incarnation.size())
    return fail(Code::kInvalid, "routing of {} addresses but {} incarnations", m.server_address.size(),
                m.server_incarnation.size());
  for (const auto server : m.group_server)
    if (server >= m.server_address.size())
      return fail(Code::kInvalid, "routing names server {} of {}", server, m.server_address.size());
  DYAD_TRY(tables, get_tables(from.getTables()));
  m.tables = std::move(tables);
  for (const auto incarnation : from.getWorkerIncarnation()) m.worker_incarnation.push_back(incarnation);
  return m;
}

void put(const Heartbeat& m, schema::Heartbeat::Builder to) {
  to.setState(m.state);
  to.setStep(m.step.value);
  put_numbers(m.metrics, to.initMetrics(m.metrics.size()));
}
Result<Heartbeat> get(schema::Heartbeat::Reader from) {
  return Heartbeat{name(from.getState()), Step{from.getStep()}, get_numbers(from.getMetrics())};
}

void put(const HeartbeatReply& m, schema::HeartbeatReply::Builder to) {
  to.setCommand(static_cast<std::uint8_t>(m.command));
}
Result<HeartbeatReply> get(schema::HeartbeatReply::Reader from) {
  if (from.getCommand() > static_cast<std::uint8_t>(Command::kRestart))
    return fail(Code::kInvalid, "unknown command {}", from.getCommand());
  return HeartbeatReply{static_cast<Command>(from.getCommand())};
}

void put(const AcquireLease& m, schema::AcquireLease::Builder to) {
  to.setEpoch(m.epoch);
  to.setFirstBatch(m.first_batch);
}
Result<AcquireLease> get(schema::AcquireLease::Reader from) {
  return AcquireLease{from.getEpoch(), from.getFirstBatch()};
}

void put(const Lease& m, schema::Lease::Builder to) {
  to.setId(m.id);
  to.setEpoch(m.epoch);
  to.setFirstBatch(m.first_batch);
  to.setEndBatch(m.end_batch);
}
Result<Lease> get(schema::Lease::Reader from) {
  return Lease{from.getId(), from.getEpoch(), from.getFirstBatch(), from.getEndBatch()};
}

void put(const CompleteLease& m, schema::CompleteLease::Builder to) {
  to.setId(m.id);
  to.setEndBatch(m.end_batch);
  to.setCount(m.count);
  to.setChecksum(m.checksum);
}
Result<CompleteLease> get(schema::CompleteLease::Reader from) {
  return CompleteLease{from.getId(), from.getEndBatch(), from.getCount(), from.getChecksum()};
}

void put(const CutPart& m, schema::CutPart::Builder to) {
  to.setStep(m.step.value);
  auto files = to.initFiles(m.files.size());
  for (unsigned i = 0; i < files.size(); ++i) {
    files[i].setPath(m.files[i].path);
    files[i].setBytes(m.files[i].bytes);
    files[i].setDigest(m.files[i].digest);
  }
  auto facts = to.initFacts(m.facts.size());
  unsigned i = 0;
  for (const auto& [name, value] : m.facts) {
    facts[i].setName(name);
    facts[i++].setValue(value);
  }
  to.setFailure(cut_short(m.failure));
}
Result<CutPart> get(schema::CutPart::Reader from) {
  CutPart m;
  m.step = Step{from.getStep()};
  for (const auto f : from.getFiles()) m.files.push_back({text(f.getPath()), f.getBytes(), f.getDigest()});
  KJ_REQUIRE(from.getFacts().size() <= kListMax, "too many facts", from.getFacts().size());
  for (const auto f : from.getFacts()) m.facts.emplace(name(f.getName()), name(f.getValue()));
  m.failure = text(from.getFailure());
  return m;
}

void put(const CutStatus& m, schema::CutStatus::Builder to) {
  to.setStep(m.step.value);
  to.setCommitted(m.committed);
  to.setGivenUp(cut_short(m.given_up));
}
Result<CutStatus> get(schema::CutStatus::Reader from) {
  return CutStatus{Step{from.getStep()}, from.getCommitted(), text(from.getGivenUp())};
}

void put(const EvalResult& m, schema::EvalResult::Builder to) {
  to.setCheckpoint(m.checkpoint);
  to.setSplit(m.split);
  put_numbers(m.metrics, to.initMetrics(m.metrics.size()));
  to.setManifest(m.manifest);
  to.setSettings(m.settings);
}
Result<EvalResult> get(schema::EvalResult::Reader from) {
  return EvalResult{text(from.getCheckpoint()), name(from.getSplit()), get_numbers(from.getMetrics()),
                    from.getManifest(), name(from.getSettings())};
}

void put(const Goodbye& m, schema::Goodbye::Builder to) { to.setReason(m.reason); }
Result<Goodbye> get(schema::Goodbye::Reader from) { return Goodbye{name(from.getReason())}; }

void put(const ErrorReply& m, schema::ErrorReply::Builder to) {
  to.setCode(static_cast<std::uint8_t>(m.error.code));
  to.setMessage(cut_short(m.error.message));
}
Result<ErrorReply> get(schema::ErrorReply::Reader from) {
  const int code = from.getCode();
  if (code < static_cast<int>(Code::kFailed) || code > static_cast<int>(Code::kDisconnected))
    return fail(Code::kInvalid, "peer reports unknown error code {}: {}", code, from.getMessage().cStr());
  return ErrorReply{Error{static_cast<Code>(code), text(from.getMessage())}};
}

}  // namespace dyad::wire::parts
