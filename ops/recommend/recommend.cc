#include "ops/recommend/recommend.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include "ops/recommend/item_lookup.h"
#include "worker/decode/beam_search.h"
#include "worker/eval/loaded_model.h"

namespace dyad::ops {
namespace {

using worker::LoadedModel;
constexpr std::size_t kHistoryShown = 5;       // of a long history, oldest first

Result<std::vector<ItemId>> history_of(const LoadedModel& loaded, const RecommendOptions& options) {
  const auto& dataset = loaded.data.dataset;
  if (options.user.empty()) {
    std::vector<data::Item> items;
    for (std::uint32_t i = 0; i < dataset.items(); ++i) items.push_back(dataset.item(ItemId{i}));
    return ItemLookup(items).parse(options.history);
  }
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    if (dataset.user_key(UserId{u}) != options.user) continue;
    const auto sequence = dataset.sequence(UserId{u});
    return std::vector<ItemId>(sequence.begin(), sequence.end());
  }
  return fail(Code::kNotFound, "no user \"{}\" in {}; users.txt there lists them", options.user,
              dataset.dir().string());
}

std::string code_of(const data::Trie& trie, ItemId item) {   // "12.3": which child at each level
  std::string out;
  NodeId parent{0};
  for (const NodeId node : trie.path(item)) {
    out += fmt::format("{}{}", out.empty() ? "" : ".", node.value - trie.child_begin(parent).value);
    parent = node;
  }
  return out;
}

const char* found_by(const worker::Candidate& c) {
  return c.found[0] && c.found[1] ? "both" : c.found[0] ? "behaviour" : "semantic";
}

std::string title_of(const data::Item& item) { return item.title.empty() ? item.key : item.title; }

void print_json(const LoadedModel& loaded, std::span<const ItemId> history, std::span<const worker::Candidate> list) {
  const auto log_p = [](double v) { return std::isnan(v) ? nlohmann::json() : nlohmann::json(v); };
  nlohmann::json out{{"checkpoint", loaded.folder.filename().string()}, {"history", nlohmann::json::array()},
                     {"items", nlohmann::json::array()}};
  for (const ItemId item : history) out["history"].push_back(loaded.data.dataset.item(item).key);
  for (const auto& c : list) {
    const auto& item = loaded.data.dataset.item(c.item);
    out["items"].push_back({{"id", item.key}, {"title", item.title}, {"score", c.score}, {"found_by", found_by(c)},
                            {"log_p", {log_p(c.log_p[0]), log_p(c.log_p[1])}},
                            {"codes", {code_of(loaded.data.tries[0], c.item), code_of(loaded.data.tries[1], c.item)}}});
  }
  std::printf("%s\n", out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void print_table(const LoadedModel& loaded, const std::string& user, std::span<const ItemId> history,
                 std::span<const worker::Candidate> list) {
  const auto newest = history.last(std::min<std::size_t>(history.size(), kHistoryShown));
  const std::string who = user.empty() ? "" : fmt::format("user {}, ", user);
  std::printf("%safter %zu item%s%s\n", who.c_str(), history.size(), history.size() == 1 ? "" : "s",
              newest.size() < history.size() ? ", the newest of them" : "");
  for (const ItemId item : newest) std::printf("    %s\n", title_of(loaded.data.dataset.item(item)).c_str());
  std::printf("%4s  %7s  %-9s  %9s  %9s  %s\n", "", "score", "found by", "behaviour", "semantic", "title");
  for (std::size_t i = 0; i < list.size(); ++i)
    std::printf("%3zu.  %7.2f  %-9s  %9s  %9s  %s\n", i + 1, list[i].score, found_by(list[i]),
                code_of(loaded.data.tries[0], list[i].item).c_str(),
                code_of(loaded.data.tries[1], list[i].item).c_str(),
                title_of(loaded.data.dataset.item(list[i].item)).c_str());
}

}  // namespace

Status recommend(const RecommendOptions& options) {
  if (options.history.empty() == options.user.empty())
    return fail(Code::kInvalid, "say whose items come next: either --history \"title or id, ...\" or --user ID");
  DYAD_TRY(loaded, worker::load_model(options.checkpoint, options.data, options.sets));
  DYAD_TRY(whole, history_of(loaded, options));
  const std::size_t shown = std::min<std::size_t>(whole.size(), loaded.config.model.history);
  const std::vector<ItemId> history(whole.end() - static_cast<std::ptrdiff_t>(shown), whole.end());
  const worker::BeamOptions beams{std::max<std::size_t>(loaded.config.eval.beams, options.top), options.top};
  worker::BeamSearch search(*loaded.model, {loaded.tables[0], {loaded.tables[1], loaded.tables[2]}},
                            loaded.data.trie_views(), beams);
  const std::vector<std::vector<ItemId>> one{history};
  const auto found = search.run(one);
  const auto& list = found[0].ranked(loaded.config.eval.rank);
  if (options.json) print_json(loaded, history, list);
  else print_table(loaded, options.user, history, list);
  return ok();
}

}  // namespace dyad::ops
