#include "common/wire/codec.h"

#include <cstring>
#include <capnp/serialize.h>
#include <kj/exception.h>
#include "common/base/check.h"
#include "common/wire/codec_parts.h"

namespace dyad::wire {
namespace {

constexpr std::uint32_t kMagic = 0x44415944;   // "DYAD" in little-endian bytes
constexpr std::uint8_t kRoleLast = static_cast<std::uint8_t>(Role::kTool);

struct PutBody {
  schema::Header::Body::Builder to;
  void operator()(const Pull& m) { parts::put(m, to.initPull()); }
  void operator()(const PullReply& m) { parts::put(m, to.initPullReply()); }
  void operator()(const Push& m) { parts::put(m, to.initPush()); }
  void operator()(const PushReply& m) { parts::put(m, to.initPushReply()); }
  void operator()(const Register& m) { parts::put(m, to.initRegister()); }
  void operator()(const Registered& m) { parts::put(m, to.initRegistered()); }
  void operator()(const GetRouting&) { to.setGetRouting(); }
  void operator()(const Routing& m) { parts::put(m, to.initRoutingTable()); }
  void operator()(const Heartbeat& m) { parts::put(m, to.initHeartbeat()); }
  void operator()(const HeartbeatReply& m) { parts::put(m, to.initHeartbeatReply()); }
  void operator()(const AcquireLease& m) { parts::put(m, to.initAcquireLease()); }
  void operator()(const Lease& m) { parts::put(m, to.initLease()); }
  void operator()(const CompleteLease& m) { parts::put(m, to.initCompleteLease()); }
  void operator()(const CutPart& m) { parts::put(m, to.initCutPart()); }
  void operator()(const CutStatus& m) { parts::put(m, to.initCutStatus()); }
  void operator()(const EvalResult& m) { parts::put(m, to.initEvalResult()); }
  void operator()(const Goodbye& m) { parts::put(m, to.initGoodbye()); }
  void operator()(const Ack&) { to.setAck(); }
  void operator()(const ErrorReply& m) { parts::put(m, to.initErrorReply()); }
};

template <class T> Result<Body> as_body(Result<T> part) {
  if (!part) return std::move(part).error();
  return Body{std::move(part).value()};
}

Result<Body> get_body(schema::Header::Body::Reader from) {
  using Kind = schema::Header::Body;
  switch (from.which()) {
    case Kind::PULL: return as_body(parts::get(from.getPull()));
    case Kind::PULL_REPLY: return as_body(parts::get(from.getPullReply()));
    case Kind::PUSH: return as_body(parts::get(from.getPush()));
    case Kind::PUSH_REPLY: return as_body(parts::get(from.getPushReply()));
    case Kind::REGISTER: return as_body(parts::get(from.getRegister()));
    case Kind::REGISTERED: return as_body(parts::get(from.getRegistered()));
    case Kind::GET_ROUTING: return Body{GetRouting{}};
    case Kind::ROUTING_TABLE: return as_body(parts::get(from.getRoutingTable()));
    case Kind::HEARTBEAT: return as_body(parts::get(from.getHeartbeat()));
    case Kind::HEARTBEAT_REPLY: return as_body(parts::get(from.getHeartbeatReply()));
    case Kind::ACQUIRE_LEASE: return as_body(parts::get(from.getAcquireLease()));
    case Kind::LEASE: return as_body(parts::get(from.getLease()));
    case Kind::COMPLETE_LEASE: return as_body(parts::get(from.getCompleteLease()));
    case Kind::CUT_PART: return as_body(parts::get(from.getCutPart()));
    case Kind::CUT_STATUS: return as_body(parts::get(from.getCutStatus()));
    case Kind::EVAL_RESULT: return as_body(parts::get(from.getEvalResult()));
    case Kind::GOODBYE: return as_body(parts::get(from.getGoodbye()));
    case Kind::ACK: return Body{Ack{}};
    case Kind::ERROR_REPLY: return as_body(parts::get(from.getErrorReply()));
  }
  return fail(Code::kInvalid, "message of unknown kind {}: run the same build everywhere",
              static_cast<int>(from.which()));
}

capnp::ReaderOptions limits_of(kj::ArrayPtr<const capnp::word> words) {
  capnp::ReaderOptions limits;
  limits.traversalLimitInWords = 8 * words.size() + 64;   // a header that points at itself is cut off here
  limits.nestingLimit = 8;
  return limits;
}

Result<Envelope> read(kj::ArrayPtr<const capnp::word> words) {
  capnp::FlatArrayMessageReader reader(words, limits_of(words));
  const auto header = reader.getRoot<schema::Header>();
  if (header.getMagic() != kMagic)
    return fail(Code::kInvalid, "not a message of Dyad: {} bytes of something else", words.size() * 8);
  if (header.getVersion() != kProtocolVersion)
    return fail(Code::kInvalid,
                "peer speaks protocol version {}, {} than this build's {}: run the same build everywhere",
                header.getVersion(), header.getVersion() > kProtocolVersion ? "newer" : "older", kProtocolVersion);
  if (header.getRole() > kRoleLast) return fail(Code::kInvalid, "message from unknown role {}", header.getRole());
  Envelope envelope;
  envelope.sender = {static_cast<Role>(header.getRole()), header.getSenderId(), Incarnation{header.getIncarnation()},
                     RunId{header.getRun()}};
  envelope.request = header.getRequest();
  envelope.routing = RoutingEpoch{header.getRouting()};
  DYAD_TRY(body, get_body(header.getBody()));
  envelope.body = std::move(body);
  return envelope;
}

std::vector<capnp::word> words_of(std::span<const std::byte> header) {   // a copy: the bytes may lie unaligned
  std::vector<capnp::word> words(header.size() / sizeof(capnp::word));
  if (!words.empty()) std::memcpy(words.data(), header.data(), words.size() * sizeof(capnp::word));
  return words;
}

}  // namespace

std::vector<std::byte> encode(const Envelope& envelope) {
  capnp::MallocMessageBuilder builder(128);
  auto header = builder.initRoot<schema::Header>();
  header.setMagic(kMagic);
  header.setVersion(kProtocolVersion);
  header.setRole(static_cast<std::uint8_t>(envelope.sender.role));
  header.setSenderId(envelope.sender.id);
  header.setIncarnation(envelope.sender.incarnation.value);
  header.setRun(envelope.sender.run.value);
  header.setRequest(envelope.request);
  header.setRouting(envelope.routing.value);
  std::visit(PutBody{header.getBody()}, envelope.body);
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  CHECK_LE(bytes.size(), kHeaderBytesMax);
  std::vector<std::byte> out(bytes.size());
  std::memcpy(out.data(), bytes.begin(), bytes.size());
  return out;
}

Result<Envelope> decode(std::span<const std::byte> header) {
  if (header.size() > kHeaderBytesMax)
    return fail(Code::kInvalid, "header of {} bytes, at most {} allowed", header.size(), kHeaderBytesMax);
  if (header.empty() || header.size() % sizeof(capnp::word) != 0)
    return fail(Code::kInvalid, "header of {} bytes is truncated or no message of Dyad", header.size());
  const auto words = words_of(header);
  try {
    return read(kj::arrayPtr(words.data(), words.size()));
  } catch (const kj::Exception& e) {
    return fail(Code::kInvalid, "damaged header of {} bytes: {}", header.size(), e.getDescription().cStr());
  } catch (const std::exception& e) {
    return fail(Code::kInvalid, "damaged header of {} bytes: {}", header.size(), e.what());
  }
}

std::optional<OtherVersion> other_version(std::span<const std::byte> header) {
  if (header.size() > kHeaderBytesMax) return std::nullopt;
  const auto words = words_of(header);
  try {
    const auto all = kj::arrayPtr(words.data(), words.size());
    capnp::FlatArrayMessageReader reader(all, limits_of(all));
    const auto from = reader.getRoot<schema::Header>();
    if (from.getMagic() != kMagic || from.getVersion() == kProtocolVersion) return std::nullopt;
    return OtherVersion{from.getVersion(), from.getRequest()};
  } catch (const kj::Exception&) {
    return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

const char* body_name(const Body& body) {
  static constexpr const char* kNames[] = {
      "Pull", "PullReply", "Push", "PushReply", "Register", "Registered", "GetRouting", "Routing", "Heartbeat",
      "HeartbeatReply", "AcquireLease", "Lease", "CompleteLease", "CutPart", "CutStatus", "EvalResult",
      "Goodbye", "Ack", "ErrorReply"};
  static_assert(std::size(kNames) == std::variant_size_v<Body>);
  return kNames[body.index()];
}

const char* role_name(Role role) {
  switch (role) {
    case Role::kCoordinator: return "coordinator";
    case Role::kServer: return "server";
    case Role::kWorker: return "worker";
    case Role::kTool: return "tool";
  }
  return "unknown";
}

}  // namespace dyad::wire
