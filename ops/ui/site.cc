#include "ops/ui/site.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include "common/config/config.h"
#include "coordinator/server/page/page.h"

namespace dyad::ops {

using nlohmann::json;

namespace {

std::string text_of(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

http::Answer answer_of(const Result<json>& found) {
  constexpr const char* kJson = "application/json";
  if (found) return {200, kJson, text_of(found.value())};
  const Error& error = found.error();
  if (error.code == Code::kOverloaded) return {202, kJson, text_of({{"loading", error.message}})};
  const int status = error.code == Code::kNotFound ? 404 : error.code == Code::kInvalid ? 400 : 503;
  return {status, kJson, text_of({{"error", error.message}})};
}

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

Error no_such_page() { return fail(Code::kNotFound, "no such page; ops/ui/site.h lists those that there are"); }

}  // namespace

std::vector<std::string> parts_of_path(const std::string& path) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/') { out.emplace_back(); continue; }
    if (out.empty()) out.emplace_back();
    unsigned byte = 0;
    const char* digits = path.data() + i + 1;
    if (path[i] == '%' && i + 2 < path.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out.back() += static_cast<char>(byte);
      i += 2;
    } else {
      out.back() += path[i];
    }
  }
  return out;
}

Result<std::unique_ptr<Site>> Site::open(const std::vector<std::string>& runs) {
  std::unique_ptr<Site> site(new Site);
  json names = json::array();
  for (const std::string& run : runs) {
    DYAD_TRY(page, JobPage::open(run));
    names.push_back(page.name());
    auto trees = std::make_unique<Background<CodeTrees>>([run]() -> Result<CodeTrees> {
      const auto file = std::filesystem::path(run) / "config.toml";
      DYAD_TRY(config, config::load({file.string(), /*environment=*/false, {}}));
      return CodeTrees::open(config.job.data);
    });
    site->jobs_.push_back({std::move(page), std::move(trees)});
  }
  site->page_ = coordinator::page_of_jobs(names.dump(-1, ' ', true, json::error_handler_t::replace));
  return site;
}

http::Answer Site::answer(const std::string& path) {
  if (path == "/") return {200, "text/html; charset=utf-8", page_};
  const Parts parts = parts_of_path(path);
  const auto job = parts.empty() ? std::nullopt : number(parts[0]);
  if (!job || *job >= jobs_.size() || parts.size() < 2) return answer_of(no_such_page());
  return of_job(static_cast<std::size_t>(*job), {parts.begin() + 1, parts.end()});
}

http::Answer Site::of_job(std::size_t job, const Parts& parts) {
  if (parts[0] == "status.json" && parts.size() == 1) {
    const auto status = jobs_[job].page.status();
    if (!status) return answer_of(status.error());
    return {200, "application/json", status.value()};
  }
  return answer_of(parts[0] == "tree" ? tree(job, parts) : explore(job, parts));
}

Result<json> Site::tree(std::size_t job, const Parts& parts) {
  const auto node = parts.size() == 4 ? number(parts[2]) : std::nullopt;
  const auto from = parts.size() == 4 ? number(parts[3]) : std::nullopt;
  if (!node || !from) return no_such_page();
  DYAD_TRY(trees, jobs_[job].trees->get());
  return trees->children(parts[1], *node, *from);
}

// The model that is in memory if it is that of the job's best checkpoint now, else that one, once it is loaded.
Result<Explorer*> Site::explorer(std::size_t job) {
  if (!model_ || !model_->explorer->is_at_work()) {
    DYAD_TRY(wanted, checkpoint_to_explore(name(job)));
    if (!model_ || model_->job != job || model_->checkpoint != wanted)
      model_ = std::make_unique<Model>(job, wanted, std::make_unique<Background<std::unique_ptr<Explorer>>>(
                                                        [wanted] { return Explorer::open(wanted); }));
  } else if (model_->job != job) {
    return fail(Code::kOverloaded, "the model of another job is being loaded");
  }
  DYAD_TRY(explorer, model_->explorer->get());
  return explorer->get();
}

Result<json> Site::explore(std::size_t job, const Parts& parts) {
  const bool names = (parts[0] == "users" || parts[0] == "items") && parts.size() <= 2;
  const bool lists = parts[0] == "recommend" && parts.size() >= 4 && (parts[1] == "keep" || parts[1] == "drop") &&
                     (parts[2] == "items" || ((parts[2] == "next" || parts[2] == "test") && parts.size() == 4));
  if (!names && !lists && (parts[0] != "model" || parts.size() != 1)) return no_such_page();
  DYAD_TRY(explorer, this->explorer(job));
  if (parts[0] == "model") return explorer->about();
  const std::string part = parts.size() > 1 ? parts[1] : "";
  if (parts[0] == "users") return explorer->users_like(part);
  if (parts[0] == "items") return explorer->items_like(part);
  const bool drop = parts[1] == "drop";
  if (parts[2] != "items") return explorer->for_user(parts[3], parts[2] == "test", drop);
  return explorer->after_items({parts.begin() + 3, parts.end()}, drop);
}

}  // namespace dyad::ops
