#include "common/wire/codec.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include "common/base/random.h"
#include "common/tables/tables_for_test.h"

namespace dyad::wire {
namespace {

std::vector<Body> one_of_each() {
  const std::vector<Section> sections{{TableId{0}, 3}, {TableId{2}, 70000}};
  return {Pull{Step{7}, ValueType::kFp16, sections},
          PullReply{Step{8}, ValueType::kFp32, sections},
          Push{Step{9}, 1e-3f, true, ValueType::kFp16, sections},
          PushReply{Step{9}, true},
          Register{"tcp://127.0.0.1:5555", 0xfeedull, 4242, "host", {{"log", ~0ull}, {"codes", 2}}, tables_for_test()},
          Registered{Incarnation{3}, Step{40}, "checkpoints/step-40", RunId{6}, RoutingEpoch{7}, ~0ull},
          GetRouting{},
          Routing{RoutingEpoch{5}, {0, 1, 0, 1}, {"a", "b"}, {1, 2},
                  tables_for_test({.widths = {128, 3, 1},
                                   .key_ends = {12, 300, 1ull << 40},
                                   .optimizer = {.clip = 0.3f}}),
                  {3, 0}},
          Heartbeat{"training", Step{11}, {{"loss", 2.5}, {"rows", 1e9}}},
          HeartbeatReply{Command::kRestart},
          AcquireLease{2, 100},
          Lease{9, 2, 100, 250},
          CompleteLease{9, 230, 5000, 0x123456789abcdefull},
          CutPart{Step{40}, {{"rows/g0001.rows", 4096, 77}}, {{"epoch", "2"}}, "no space left"},
          CutStatus{Step{40}, true, "server 1: no space left"},
          EvalResult{"step-40", "validation", {{"fusion/ndcg@10", 0.039}}, ~0ull, "20 beams"},
          Goodbye{"done"},
          Ack{},
          ErrorReply{Error{Code::kStale, "server 1 was restarted"}}};
}

Envelope envelope(Body body) {
  return {{Role::kWorker, 1, Incarnation{6}}, 12345, RoutingEpoch{2}, std::move(body)};
}

TEST(Codec, EveryMessageComesBackAsItWentIn) {
  const auto bodies = one_of_each();
  ASSERT_EQ(bodies.size(), std::variant_size_v<Body>);
  for (const Body& body : bodies) {
    const auto bytes = encode(envelope(body));
    auto back = decode(bytes);
    ASSERT_TRUE(back) << body_name(body) << ": " << back.error().message;
    EXPECT_EQ(back.value().body.index(), body.index());
    EXPECT_EQ(back.value().request, 12345u);
    EXPECT_EQ(back.value().routing, RoutingEpoch{2});
    EXPECT_EQ(back.value().sender.role, Role::kWorker);
    EXPECT_EQ(back.value().sender.incarnation, Incarnation{6});
    EXPECT_EQ(encode(back.value()), bytes) << body_name(body);   // the second encoding proves every field
  }
}

TEST(Codec, FieldsSurvive) {
  const auto push = expect<Push>(decode(encode(envelope(one_of_each()[2]))).value()).value();
  EXPECT_EQ(push.step, Step{9});
  EXPECT_EQ(push.learning_rate, 1e-3f);
  EXPECT_TRUE(push.cut);
  EXPECT_EQ(push.values, ValueType::kFp16);
  ASSERT_EQ(push.sections.size(), 2u);
  EXPECT_EQ(push.sections[1].table, TableId{2});
  EXPECT_EQ(push.sections[1].count, 70000u);
  const auto beat = expect<Heartbeat>(decode(encode(envelope(one_of_each()[8]))).value()).value();
  EXPECT_EQ(beat.metrics.at("rows"), 1e9);
  const auto routing = expect<Routing>(decode(encode(envelope(one_of_each()[7]))).value()).value();
  EXPECT_EQ(routing.tables, tables_for_test({.widths = {128, 3, 1},
                                             .key_ends = {12, 300, 1ull << 40},
                                             .optimizer = {.clip = 0.3f}}));
  EXPECT_EQ(routing.worker_incarnation, (std::vector<std::uint64_t>{3, 0}));
  const auto cut = expect<CutPart>(decode(encode(envelope(one_of_each()[13]))).value()).value();
  EXPECT_EQ(cut.files.at(0).path, "rows/g0001.rows");
  EXPECT_EQ(cut.facts.at("epoch"), "2");
}

TEST(Codec, ExpectHandsOnThePeersError) {
  const auto result = expect<PullReply>(envelope(ErrorReply{Error{Code::kStale, "gone"}}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kStale);
  const auto other = expect<PullReply>(envelope(Ack{}));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "peer answered Ack where PullReply was expected");
}

TEST(Codec, AnotherVersionIsNamed) {
  auto bytes = encode(envelope(Ack{}));
  // Header's first data word holds magic (4 bytes) and version (2 bytes); it follows the segment table and the root
  // pointer.
  for (const int apart : {1, -1}) {
    const char* word = apart > 0 ? "newer" : "older";
    const auto version = static_cast<std::uint16_t>(kProtocolVersion + apart);
    std::memcpy(bytes.data() + 8 + 8 + 4, &version, 2);
    const auto result = decode(bytes);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, fmt::format("peer speaks protocol version {}, {} than this build's {}: run the "
                                                  "same build everywhere", version, word, kProtocolVersion));
    ASSERT_TRUE(other_version(bytes)) << "its sender must be told";
    EXPECT_EQ(other_version(bytes)->version, version);
    EXPECT_EQ(other_version(bytes)->request, envelope(Ack{}).request);
  }
}

TEST(Codec, OnlyAnotherVersionOfAMessageIsAnotherVersion) {
  EXPECT_FALSE(other_version(encode(envelope(Ack{}))));
  EXPECT_FALSE(other_version({}));
  EXPECT_FALSE(other_version(std::vector<std::byte>(64, std::byte{'x'})));
}

TEST(Codec, BytesOfOthersAreRefused) {
  EXPECT_FALSE(decode({}));
  const std::vector<std::byte> zeros(64), text(48, std::byte{'x'});
  EXPECT_FALSE(decode(zeros));
  EXPECT_FALSE(decode(text));
  Tables nameless = tables_for_test();
  nameless[1].name = "";
  EXPECT_FALSE(decode(encode(envelope(Register{"", 1, 2, "host", {}, nameless}))));
  EXPECT_FALSE(decode(encode(envelope(Routing{RoutingEpoch{1}, {0}, {"a"}, {1}, Tables(kTablesMax + 1), {}}))));
  const auto bad_values = encode(envelope(Pull{Step{1}, static_cast<ValueType>(7), {}}));
  EXPECT_FALSE(decode(bad_values));
  const auto bad_route = encode(envelope(Routing{RoutingEpoch{1}, {3}, {"a"}, {1}, {}, {}}));
  EXPECT_FALSE(decode(bad_route));
  const auto many = encode(envelope(Pull{Step{1}, ValueType::kFp32, std::vector<Section>(kSectionsMax + 1)}));
  EXPECT_FALSE(decode(many));
}

TEST(Codec, ATextWithAZeroByteIsRefusedSinceEncodingItCutsItThere) {
  auto bytes = encode(envelope(Goodbye{"do?e"}));
  *std::find(bytes.begin(), bytes.end(), std::byte{'?'}) = std::byte{0};
  const auto result = decode(bytes);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kInvalid);
  EXPECT_NE(result.error().message.find("a text with a zero byte"), std::string::npos) << result.error().message;
}

TEST(Codec, WhatAPeerMaySayIsBoundedForItMayEndUpInAJournal) {
  const std::string long_name(257, 'x'), control("a\x01z");
  const std::map<std::string, double> named{{long_name, 1.0}};
  std::map<std::string, double> many;
  for (int i = 0; i < 1025; ++i) many[std::to_string(i)] = i;
  for (const Body& body : std::vector<Body>{Register{long_name}, Register{"", 0, 0, long_name}, Register{control},
                                            Register{"", 0, 0, "", {{long_name, 1}}}, Heartbeat{long_name},
                                            Heartbeat{control}, Heartbeat{"", {}, named}, Heartbeat{"", {}, many},
                                            Goodbye{long_name}, EvalResult{"c", long_name}, EvalResult{"c", "s", many},
                                            EvalResult{std::string(4097, 'x'), "s"}, CutPart{{}, {}, {{"a\n", "b"}}},
                                            CutPart{{}, {}, {{"a", long_name}}}}) {
    const auto answer = decode(encode(envelope(body)));
    ASSERT_FALSE(answer) << body_name(body);
    EXPECT_EQ(answer.error().code, Code::kInvalid);
  }
  EXPECT_TRUE(decode(encode(envelope(Register{std::string(256, 'x'), 0, 0, std::string(256, 'x')}))));
}

TEST(Codec, TruncatedMessagesAreRefused) {
  for (const Body& body : one_of_each()) {
    const auto bytes = encode(envelope(body));
    for (std::size_t n = 0; n < bytes.size(); ++n)
      EXPECT_FALSE(decode({bytes.data(), n})) << body_name(body) << " at " << n;
  }
}

TEST(Codec, MutatedMessagesNeverCrash) {
  KeyedRandom random(20240825);
  const auto bodies = one_of_each();
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    auto bytes = encode(envelope(bodies[random.below(bodies.size())]));
    const auto changes = 1 + random.below(6);
    for (std::uint64_t c = 0; c < changes; ++c)
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
    if (random.below(8) == 0) bytes.resize(random.below(bytes.size() + 1));
    auto result = decode(bytes);
    if (!result) { ++refused; continue; }
    decode(encode(result.value())).value();   // what was accepted is a message that we could have sent
  }
  EXPECT_GT(refused, 5000u);
}

}  // namespace
}  // namespace dyad::wire
