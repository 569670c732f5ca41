#include "coordinator/journal/history.h"

#include "coordinator/core/evaluations.h"
#include "coordinator/journal/journal.h"
#include "coordinator/journal/start.h"

namespace dyad::coordinator {

std::string kind_name(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kStarted: return "started";
    case Event::Kind::kResumed: return "resumed";
    case Event::Kind::kLost: return "lost";
    case Event::Kind::kCheckpoint: return "checkpoint";
    case Event::Kind::kGivenUp: return "given_up";
    case Event::Kind::kEvaluated: return "evaluated";
  }
  return {};
}

Result<History> History::read(const std::filesystem::path& job_dir) {
  History history;
  auto records = read_journal(job_dir / kJournalName);
  if (!records && records.error().code == Code::kNotFound) return history;
  if (!records) return records.error();
  DYAD_TRY(entries, decode_entries(records.value(), (job_dir / kJournalName).string()));
  for (std::size_t i = 0; i < entries.size(); ++i) history.add(entries[i], time_of(records.value()[i]));
  return history;
}

void History::add(const Entry& entry, double unix_s) {
  Event event{Event::Kind::kStarted, unix_s, {}, {}};
  if (const auto* run = std::get_if<RunStarted>(&entry)) {
    if (run->resume.value == 0) *this = History();
    else event.kind = Event::Kind::kResumed, ++restarts_;
    event.step = last_cut_ = run->resume;
    for (const std::string& problem : run->skipped) event.text += (event.text.empty() ? "" : "; ") + problem;
  } else if (const auto* began = std::get_if<GenerationBegan>(&entry)) {
    ++restarts_;
    event.kind = Event::Kind::kLost, event.step = last_cut_, event.text = began->why;
  } else if (const auto* cut = std::get_if<CutCommitted>(&entry)) {
    event.kind = Event::Kind::kCheckpoint, event.step = last_cut_ = cut->step, event.text = cut->folder;
    last_cut_s_ = unix_s;
    ++committed_;
  } else if (const auto* given_up = std::get_if<CutGivenUp>(&entry)) {
    event.kind = Event::Kind::kGivenUp, event.step = given_up->step, event.text = given_up->why;
  } else if (const auto* result = std::get_if<Evaluated>(&entry); result && result->split == kBestSplit) {
    event.kind = Event::Kind::kEvaluated, event.step = step_of_folder(result->folder), event.text = result->folder;
  } else {
    return;
  }
  events_.push_back(std::move(event));
  if (events_.size() > kEventsMax) events_.pop_front();
}

}  // namespace dyad::coordinator
