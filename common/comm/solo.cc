// One rank: every sum is what it was.
#include "common/comm/collective.h"

#include <cstdlib>

namespace dyad::comm {
namespace {

class Solo : public Collective {
 public:
  WorkerRank rank() const override { return WorkerRank{0}; }
  std::uint32_t size() const override { return 1; }
  bool on_device() const override { return false; }
  void start_sum(std::span<float>) override {}
  Status wait() override { return ok(); }
  Status sum(std::span<double>) override { return ok(); }
  Status broadcast(std::span<std::byte>) override { return ok(); }
  Status barrier() override { return ok(); }
  void set_give_up(std::function<Status()>) override {}
  [[noreturn]] void abort(int code) override { std::_Exit(code); }
};

}  // namespace

std::unique_ptr<Collective> make_solo() { return std::make_unique<Solo>(); }

}  // namespace dyad::comm
