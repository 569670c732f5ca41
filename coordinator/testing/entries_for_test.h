#pragma once
// A journal entry of each kind, for the tests of their encoding and the seeds of its fuzz target.
#include "common/tables/tables_for_test.h"
#include "coordinator/core/entries.h"

namespace dyad::coordinator {

inline Entries one_of_each_for_test() {
  return {RunStarted{"job", ~0ull, 2, Step{5}, {1, 2}, "x", {"y: altered"}, {{"log", ~0ull}}, RunId{~0ull - 2},
                     {{"test", "all users"}}, ~0ull, {{"init_from", "y"}}, tables_for_test({.init_std = 0.1f})},
          GenerationBegan{3, "worker 1 \"fell\" \xff silent"},
          MemberJoined{wire::Role::kServer, 1, Incarnation{4}, ~0ull - 1, 3, "tcp://a:1", "host", 77},
          MemberLeft{wire::Role::kWorker, 1, "done"},
          LeaseGranted{1, WorkerRank{1}, 2, 3, 4},
          LeaseCompleted{1, 4, 9, ~0ull},
          LeasesReleased{WorkerRank{1}, {2, 3}},
          EpochAudited{1, 2, 3, true, "text"},
          CutCommitted{Step{9}, {1, 0}, "step-9", {{"loss", "1"}}, ~0ull},
          CutRemoved{Step{9}},
          Evaluated{"step-9", "test", {{"m", 0.1}}, ~0ull, "20 beams"},
          CutGivenUp{Step{12}, "server 1: no space left"},
          TablesSaid{tables_for_test({.seed = ~0ull - 4})}};
}

}  // namespace dyad::coordinator
