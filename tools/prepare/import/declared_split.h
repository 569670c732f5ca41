#pragma once
// Files that come as parts for training, validation and test: whether leave-one-out over the whole log, which is what
// Dyad does, gives each user the same items. Threads: one.  Memory: 8 bytes a user, none without parts.
#include <cstdint>
#include <vector>

namespace dyad::importer {

struct Row;
enum class Part : std::uint8_t { kTrain, kValidation, kTest };

class DeclaredSplit {
 public:
  void begin(Part part) { part_ = part; }
  void note(std::uint32_t user, std::uint32_t item);
  bool any() const { return any_; }
  // Users whose last two items of `rows` (in their final order) are not those of the parts.
  std::uint64_t users_that_differ(const std::vector<Row>& rows) const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX, kSeveral = UINT32_MAX - 1;
  struct Held { std::uint32_t validation = kNone, test = kNone; };
  Part part_ = Part::kTrain;
  bool any_ = false;
  std::vector<Held> held_;                                   // by user
};

}  // namespace dyad::importer
