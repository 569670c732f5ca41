#include "ops/recommend/recommend.h"

#include <fstream>
#include <iostream>
#include "common/base/log.h"
#include "common/cli/output.h"
#include "common/io/files.h"
#include "ops/recommend/asked.h"
#include "ops/recommend/recommender.h"
#include "ops/recommend/show.h"
#include "worker/eval/loaded_model.h"

namespace dyad::ops {
namespace {

using worker::LoadedModel;

// Reads users line by line, so that a program can ask one after the other through a pipe.
Status answer_lines(std::istream& lines, const LoadedModel& loaded, const RecommendOptions& options) {
  const Recommender recommender(loaded, options.top);
  const UserLookup users(loaded.data.dataset);
  const std::size_t together = std::max<std::size_t>(1, loaded.config.eval.batch);
  std::size_t unknown = 0, asked = 0;
  for (bool more = true; more && !cli::is_output_lost();) {
    std::vector<Asked> known;
    std::vector<std::string> errors;                        // "" for a user of `known`
    std::vector<std::string> names;
    for (std::string line; errors.size() < together && (more = static_cast<bool>(std::getline(lines, line)));) {
      const std::string name = user_of_line(line, asked == 0 && errors.empty());
      if (name.empty()) continue;
      auto one = users.find(name);
      names.push_back(name);
      errors.push_back(one ? "" : one.error().message);
      if (one) known.push_back(std::move(one.value()));
      if (lines.rdbuf()->in_avail() <= 0) break;            // nobody waits for an answer until others have asked
    }
    const auto answers = recommender.answer(known, options.seen == "drop");
    auto next = answers.begin();
    for (std::size_t i = 0; i < errors.size(); ++i)
      errors[i].empty() ? print_line(loaded, *next++) : print_error_line(names[i], errors[i]);
    asked += errors.size();
    unknown += errors.size() - answers.size();
  }
  if (asked == 0) return fail(Code::kInvalid, "no user is named; give one id a line");
  if (unknown == 0 || cli::is_output_lost()) return ok();   // whoever lost the answers is told that first (code 8)
  return fail(Code::kNotFound, "{} of {} users could not be answered; their lines say why", unknown, asked);
}

Status answer_users(const RecommendOptions& options) {
  std::ifstream file;
  if (options.users != "-") {
    DYAD_TRY(folder, io::is_folder(options.users));
    if (folder) return fail(Code::kInvalid, "{}: a folder; give a file of user ids, or - for stdin", options.users);
    file.open(options.users);
    if (!file)
      return fail(Code::kNotFound, "{}: cannot be read; give a file of user ids, or - for stdin", options.users);
  }
  DYAD_TRY(loaded, worker::load_model(options.checkpoint, options.data, options.sets));
  return answer_lines(options.users == "-" ? std::cin : file, loaded, options);
}

Result<Asked> asked_of(const LoadedModel& loaded, const RecommendOptions& options) {
  if (!options.user.empty()) return UserLookup(loaded.data.dataset).find(options.user);
  return history_of(loaded.data.dataset, options.history);
}

}  // namespace

Status recommend(const RecommendOptions& options) {
  if (!options.history.empty() + !options.user.empty() + !options.users.empty() != 1)
    return fail(Code::kInvalid,
                "say whose items come next: --history \"title or id, ...\", --user ID, or --users FILE for many");
  if (!options.users.empty()) return answer_users(options);
  DYAD_TRY(loaded, worker::load_model(options.checkpoint, options.data, options.sets));
  DYAD_TRY(asked, asked_of(loaded, options));
  for (const auto& note : asked.notes) LOG_WARN("{}", note);
  const auto answers = Recommender(loaded, options.top).answer({asked}, options.seen == "drop");
  if (answers[0].items.size() < options.top)
    LOG_WARN("only {} of {} items: the catalogue has {}, {} of them in this history", answers[0].items.size(),
             options.top, loaded.data.dataset.items(), asked.items.size());
  if (options.json) print_json(loaded, answers[0]);
  else print_table(loaded, answers[0]);
  return ok();
}

}  // namespace dyad::ops
