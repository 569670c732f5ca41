#pragma once
// What a job's model recommends, for the page: to a user of the log, or after items that a person picks.
// Threads: one.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <nlohmann/json_fwd.hpp>
#include "ops/recommend/asked.h"
#include "ops/recommend/item_lookup.h"
#include "ops/recommend/recommender.h"
#include "worker/eval/loaded_model.h"

namespace dyad::ops {

// The checkpoint of a job that the page explores: its best one, else its newest. kNotFound: it has none.
Result<std::filesystem::path> checkpoint_to_explore(const std::filesystem::path& job);

class Explorer {
 public:
  static constexpr std::size_t kTop = 20;                        // items shown
  static constexpr std::size_t kNamesMax = 20;                   // offered for what was typed

  static Result<std::unique_ptr<Explorer>> open(const std::filesystem::path& checkpoint);
  const std::filesystem::path& checkpoint() const { return loaded_.folder; }

  nlohmann::json about() const;                                  // {"checkpoint", "users", "items", "rank", "searched"}
  // Keys of users that hold `part`, those that begin with it first; items as {"id", "title"}.
  nlohmann::json users_like(const std::string& part) const;
  nlohmann::json items_like(const std::string& part) const;
  // As `dyad recommend --json` has it, and "past": [{"id", "title"}], all of the history, newest first; with `as_test`
  // the last item is left out of it and "wanted": {"id", "title", "place"}, place 0 where it is not among the first
  // eval.beams, which the search finds as an evaluation does.
  // Fails as UserLookup does, and with kInvalid for `as_test` of a user without a test item.
  Result<nlohmann::json> for_user(const std::string& name, bool as_test, bool drop_seen) const;
  // Each of `items` an id, a title or a part of one; oldest first. Fails as ItemLookup does.
  Result<nlohmann::json> after_items(const std::vector<std::string>& items, bool drop_seen) const;

 private:
  explicit Explorer(worker::LoadedModel loaded);
  nlohmann::json answer(const Asked& asked, bool drop_seen, std::optional<ItemId> wanted) const;
  nlohmann::json named(ItemId item) const;
  std::size_t searched() const { return std::max<std::size_t>(kTop, loaded_.config.eval.beams); }
  worker::LoadedModel loaded_;
  Recommender recommender_;
  UserLookup users_;
  ItemLookup items_;
};

}  // namespace dyad::ops
