// The header of a message between processes (common/wire/codec.h), of every kind.
#include "common/wire/codec.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {
namespace {

std::string encoded(const wire::Envelope& envelope) {
  const std::vector<std::byte> bytes = wire::encode(envelope);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::vector<std::string> seeds() {
  const std::vector<wire::Section> sections{{TableId{0}, 3}, {TableId{2}, 1}};
  const wire::Body bodies[] = {
      wire::Pull{Step{1}, wire::ValueType::kFp16, sections},
      wire::PullReply{Step{2}, wire::ValueType::kFp32, sections},
      wire::Push{Step{3}, 0.5f, true, wire::ValueType::kFp32, sections},
      wire::PushReply{Step{4}, true},
      wire::Register{"tcp://127.0.0.1:1", 2, 3, "host"},
      wire::Registered{Incarnation{5}, Step{6}, "run/checkpoints/step-0000000006"},
      wire::GetRouting{},
      wire::Routing{RoutingEpoch{7}, {0, 1, 0}, {"tcp://a:1", "tcp://b:2"}, {8, 9}},
      wire::Heartbeat{"training", Step{8}, {{"loss", 1.5}, {"samples_per_s", 900}}},
      wire::HeartbeatReply{wire::Command::kRestart},
      wire::AcquireLease{1, 2},
      wire::Lease{1, 2, 3, 4},
      wire::CompleteLease{1, 4, 2, 3},
      wire::CutPart{Step{9}, {{"rows/g0000.rows", 10, 11}}, {{"loss", "1.5"}}},
      wire::CutStatus{Step{9}, true},
      wire::EvalResult{"step-0000000009", "test", {{"fusion/ndcg@10", 0.25}}},
      wire::Goodbye{"done"},
      wire::Ack{},
      wire::ErrorReply{{Code::kStale, "refresh"}}};
  static_assert(std::size(bodies) == std::variant_size_v<wire::Body>);
  std::vector<std::string> out;
  for (const wire::Body& body : bodies)
    out.push_back(encoded({{wire::Role::kWorker, 1, Incarnation{2}}, 3, RoutingEpoch{4}, body}));
  return out;
}

// Compared as bytes: the encoding of a value is unique, and a NaN equals itself there.
void decode(std::string_view bytes) {
  const auto first = wire::decode(std::as_bytes(std::span(bytes)));
  if (!first) return;
  const std::string once = encoded(first.value());
  const auto second = wire::decode(std::as_bytes(std::span(once)));
  CHECK(second.has_value());
  CHECK(encoded(second.value()) == once);
}

}  // namespace dyad::fuzz
