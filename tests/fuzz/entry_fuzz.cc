// A record of the coordinator's journal (coordinator/entries.h).
#include "coordinator/entries.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  using namespace coordinator;
  const Entries entries{RunStarted{"job", ~0ull, 2, Step{5}, {1, 2}, "x"},
                        GenerationBegan{3, "worker 1 \"fell\" silent"},
                        MemberJoined{wire::Role::kServer, 1, Incarnation{4}, ~0ull - 1, 3, "tcp://a:1", "host", 77},
                        MemberLeft{wire::Role::kWorker, 1, "done"},
                        LeaseGranted{1, WorkerRank{1}, 2, 3, 4},
                        LeaseCompleted{1, 4, 9, ~0ull},
                        LeasesReleased{WorkerRank{1}, {2, 3}},
                        EpochAudited{1, 2, 3, true, "text"},
                        CutCommitted{Step{9}, {1, 0}, "step-9", {{"loss", "1"}}},
                        CutRemoved{Step{9}},
                        Evaluated{"step-9", "test", {{"m", 0.1}}}};
  CHECK_EQ(entries.size(), std::variant_size_v<Entry>);
  std::vector<std::string> out;
  for (const Entry& entry : entries) out.push_back(encode(entry));
  return out;
}

void decode(std::string_view bytes) {
  const auto first = coordinator::decode_entry(bytes);
  if (!first) return;
  const std::string once = coordinator::encode(first.value());
  const auto second = coordinator::decode_entry(once);
  CHECK(second.has_value() && coordinator::encode(second.value()) == once);
}

}  // namespace dyad::fuzz
