// The names that figures travel under, taken apart. Nothing that a peer says becomes a label but what is listed here
// and short numbers.
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include "common/metrics/families.h"
#include "common/metrics/prometheus.h"

namespace dyad::metrics {
namespace {

using std::string_view;

constexpr std::array<string_view, 3> kLossParts{"con", "recon", "recog"};
constexpr std::array<string_view, 2> kStreams{"behaviour", "semantic"};
constexpr std::array<string_view, 8> kPhases{"read",       "pull_wait", "forward", "backward", "all_reduce_wait",
                                             "optimizer", "push",      "cut"};
constexpr std::array<string_view, 5> kLists{"fusion", "behaviour", "semantic", "fusion-sum", "fusion-own"};

bool is_one_of(auto& list, string_view word) { return std::ranges::find(list, word) != std::end(list); }
bool is_short_number(string_view text) {
  return !text.empty() && text.size() <= 4 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// `text` up to `mark`, which is dropped with it; all of it where there is none.
string_view cut_off(string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const string_view head = text.substr(0, at);
  text.remove_prefix(at == string_view::npos ? text.size() : at + 1);
  return head;
}

std::optional<Labels> loss_labels(string_view name) {           // what comes after "loss"
  Labels labels{{"part", "total"}, {"stream", ""}, {"level", ""}};
  if (name.empty()) return labels;
  name.remove_prefix(1);
  const string_view part = cut_off(name, '.'), stream = cut_off(name, '.');
  if (part == "gen" ? !is_one_of(kStreams, stream) || !is_short_number(name)
                    : !is_one_of(kLossParts, part) || !stream.empty() || !name.empty())
    return std::nullopt;
  labels["part"] = part, labels["stream"] = stream, labels["level"] = name;
  return labels;
}

std::string family_of(string_view name) {
  if (name == "samples_per_s") return "dyad_samples_per_second";
  return name.starts_with("process_") ? std::string(name) : "dyad_" + std::string(name);
}

std::optional<Figure> figure_of(string_view name, double value) {
  constexpr string_view kPhase = "phase_", kSeconds = "_seconds_total";
  if (name == "loss" || name.starts_with("loss.")) {
    auto labels = loss_labels(name.substr(4));
    if (!labels) return std::nullopt;
    return Figure{"dyad_loss", std::move(*labels), value, {}};
  }
  if (name.starts_with(kPhase) && name.ends_with(kSeconds)) {
    const string_view phase = name.substr(kPhase.size(), name.size() - kPhase.size() - kSeconds.size());
    if (!is_one_of(kPhases, phase)) return std::nullopt;
    return Figure{"dyad_phase_seconds_total", {{"phase", std::string(phase)}}, value, {}};
  }
  string_view part = name;
  Figure figure{family_of(cut_off(part, '.')), {}, value, {}};
  if (part.starts_with("le.")) part.remove_prefix(3);
  figure.part = part;
  const Family* family = find_family(figure.family);
  if (family == nullptr || (family->kind == Kind::kHistogram) == part.empty()) return std::nullopt;
  return figure;
}

}  // namespace

std::vector<Figure> figures_of(const std::map<std::string, double>& values, const Labels& labels) {
  std::vector<Figure> out;
  for (const auto& [name, value] : values)
    if (auto figure = figure_of(name, value)) {
      figure->labels.insert(labels.begin(), labels.end());
      out.push_back(std::move(*figure));
    }
  return out;
}

std::vector<Figure> figures_of_evaluation(const std::map<std::string, double>& values, const Labels& labels) {
  std::vector<Figure> out;
  for (const auto& [name, value] : values) {
    string_view rest = name;
    const string_view list = cut_off(rest, '/'), metric = cut_off(rest, '@');
    if (!is_one_of(kLists, list) || !is_short_number(rest) || (metric != "recall" && metric != "ndcg")) continue;
    Figure figure{"dyad_" + std::string(metric), labels, value, {}};
    figure.labels["list"] = list, figure.labels["k"] = rest;
    out.push_back(std::move(figure));
  }
  return out;
}

}  // namespace dyad::metrics
