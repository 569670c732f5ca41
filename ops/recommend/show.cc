#include "ops/recommend/show.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace dyad::ops {
namespace {

using nlohmann::json;
using worker::LoadedModel;
constexpr std::size_t kHistoryShown = 5;       // of a long history, oldest first

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

bool is_seen(const Answer& answer, ItemId item) {
  return std::find(answer.asked.items.begin(), answer.asked.items.end(), item) != answer.asked.items.end();
}

void print(const json& document, int indent) {
  std::printf("%s\n", document.dump(indent, ' ', false, json::error_handler_t::replace).c_str());
}

}  // namespace

json to_json(const LoadedModel& loaded, const Answer& answer) {
  const auto log_p = [](double v) { return std::isnan(v) ? json() : json(v); };
  json out{{"checkpoint", loaded.folder.filename().string()}, {"history", json::array()}, {"items", json::array()}};
  if (!answer.asked.user.empty()) out["user"] = answer.asked.user;
  for (const ItemId item : answer.history) out["history"].push_back(loaded.data.dataset.item(item).key);
  for (const auto& c : answer.items) {
    const auto& item = loaded.data.dataset.item(c.item);
    out["items"].push_back({{"id", item.key}, {"title", item.title}, {"score", c.score}, {"found_by", found_by(c)},
                            {"seen", is_seen(answer, c.item)},
                            {"log_p", {log_p(c.log_p[0]), log_p(c.log_p[1])}},
                            {"codes", {code_of(loaded.data.tries[0], c.item), code_of(loaded.data.tries[1], c.item)}}});
  }
  return out;
}

void print_json(const LoadedModel& loaded, const Answer& answer) { print(to_json(loaded, answer), 1); }

void print_line(const LoadedModel& loaded, const Answer& answer) { print(to_json(loaded, answer), -1); }

void print_error_line(const std::string& user, const std::string& error) {
  print({{"user", user}, {"error", error}}, -1);
}

void print_table(const LoadedModel& loaded, const Answer& answer) {
  const std::span<const ItemId> history = answer.history;
  const auto newest = history.last(std::min<std::size_t>(history.size(), kHistoryShown));
  const std::string who = answer.asked.user.empty() ? "" : fmt::format("user {}, ", answer.asked.user);
  std::printf("%safter %zu item%s%s\n", who.c_str(), history.size(), history.size() == 1 ? "" : "s",
              newest.size() < history.size() ? ", the newest of them" : "");
  for (const ItemId item : newest) std::printf("    %s\n", title_of(loaded.data.dataset.item(item)).c_str());
  std::printf("%4s  %7s  %-9s  %9s  %9s  %s\n", "", "score", "found by", "behaviour", "semantic", "title");
  std::size_t seen = 0;
  for (std::size_t i = 0; i < answer.items.size(); ++i) {
    const auto& c = answer.items[i];
    seen += is_seen(answer, c.item);
    std::printf("%3zu.  %7.2f  %-9s  %9s  %9s  %s\n", i + 1, c.score, found_by(c),
                code_of(loaded.data.tries[0], c.item).c_str(), code_of(loaded.data.tries[1], c.item).c_str(),
                title_of(loaded.data.dataset.item(c.item)).c_str());
  }
  if (seen > 0) std::printf("%zu of them are in the history; --seen drop leaves those out\n", seen);
}

}  // namespace dyad::ops
