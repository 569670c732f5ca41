#include "ops/ui/explorer.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"
#include "ops/recommend/show.h"

namespace dyad::ops {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t kEvents = 3;               // of a user with a test item

// Numbers below `count` whose name holds `part` in any letters: those that begin with it, then the others.
std::vector<std::uint32_t> like(std::size_t count, const std::string& part, std::size_t most,
                                const std::function<std::size_t(std::uint32_t)>& place) {
  std::vector<std::uint32_t> first, others;
  for (std::uint32_t i = 0; i < count && first.size() < most; ++i) {
    const std::size_t at = part.empty() ? 0 : place(i);
    if (at == 0) first.push_back(i);
    else if (at != std::string::npos && others.size() < most) others.push_back(i);
  }
  others.resize(std::min(others.size(), most - first.size()));
  first.insert(first.end(), others.begin(), others.end());
  return first;
}

}  // namespace

Result<fs::path> checkpoint_to_explore(const fs::path& job) {
  const fs::path folder = ckpt::checkpoints_dir(job);
  std::error_code none;
  if (const fs::path best = fs::canonical(folder / "best", none); !none) return best;
  DYAD_TRY(listed, ckpt::list_checkpoints(folder, ckpt::Depth::kSizes));
  for (auto one = listed.rbegin(); one != listed.rend(); ++one)
    if (one->state == ckpt::State::kValid) return one->dir;
  return fail(Code::kNotFound, "{} has no checkpoint yet", job.string());
}

Explorer::Explorer(worker::LoadedModel loaded)
    : loaded_(std::move(loaded)),
      recommender_(loaded_, searched()),
      users_(loaded_.data.dataset),
      items_(loaded_.data.dataset.catalogue()) {}

Result<std::unique_ptr<Explorer>> Explorer::open(const fs::path& checkpoint) {
  DYAD_TRY(loaded, worker::load_model(checkpoint, /*data=*/"", /*sets=*/{}));
  return std::unique_ptr<Explorer>(new Explorer(std::move(loaded)));
}

json Explorer::about() const {
  const auto& dataset = loaded_.data.dataset;
  return {{"checkpoint", loaded_.folder.filename().string()}, {"users", dataset.users()}, {"items", dataset.items()},
          {"rank", loaded_.config.eval.rank}, {"searched", searched()}};
}

json Explorer::named(ItemId item) const {
  const auto& found = loaded_.data.dataset.item(item);
  return {{"id", found.key}, {"title", found.title}};
}

json Explorer::users_like(const std::string& part) const {
  const auto& dataset = loaded_.data.dataset;
  const std::string wanted = lower(part);
  json out = json::array();
  for (const std::uint32_t u : like(dataset.users(), wanted, kNamesMax, [&](std::uint32_t i) {
         return lower(dataset.user_key(UserId{i})).find(wanted);
       }))
    out.push_back(dataset.user_key(UserId{u}));
  return out;
}

json Explorer::items_like(const std::string& part) const {
  const auto& dataset = loaded_.data.dataset;
  const std::string wanted = lower(part);
  json out = json::array();
  for (const std::uint32_t i : like(dataset.items(), wanted, kNamesMax, [&](std::uint32_t n) {
         const auto& item = dataset.item(ItemId{n});
         return std::min(lower(item.key).find(wanted), lower(item.title).find(wanted));
       }))
    out.push_back(named(ItemId{i}));
  return out;
}

json Explorer::answer(const Asked& asked, bool drop_seen, std::optional<ItemId> wanted) const {
  Answer found = recommender_.answer({asked}, drop_seen).front();
  json wanted_json;
  if (wanted) {
    const auto at = std::ranges::find(found.items, *wanted, &worker::Candidate::item);
    wanted_json = named(*wanted);
    wanted_json["place"] = at == found.items.end() ? 0 : at - found.items.begin() + 1;
  }
  found.items.resize(std::min(found.items.size(), kTop));
  json out = to_json(loaded_, found);
  out["shown"] = found.history.size();                 // of the past, the newest
  out["past"] = json::array();
  for (auto item = asked.items.rbegin(); item != asked.items.rend(); ++item) out["past"].push_back(named(*item));
  if (wanted) out["wanted"] = wanted_json;
  out["notes"] = asked.notes;
  return out;
}

Result<json> Explorer::for_user(const std::string& name, bool as_test, bool drop_seen) const {
  DYAD_TRY(asked, users_.find(name));
  if (!as_test) return answer(asked, drop_seen, {});
  if (asked.items.size() < kEvents)
    return fail(Code::kInvalid, "user {} has {} items and so no test item; ask what comes after all of them",
                asked.user, asked.items.size());
  const ItemId wanted = asked.items.back();
  asked.items.pop_back();
  return answer(asked, drop_seen, wanted);
}

Result<json> Explorer::after_items(const std::vector<std::string>& items, bool drop_seen) const {
  Asked asked;
  for (const std::string& item : items) {
    DYAD_TRY(found, items_.parse(item));
    asked.items.insert(asked.items.end(), found.items.begin(), found.items.end());
    asked.notes.insert(asked.notes.end(), found.notes.begin(), found.notes.end());
  }
  if (asked.items.empty()) return fail(Code::kInvalid, "name an item or more");
  return answer(asked, drop_seen, {});
}

}  // namespace dyad::ops
