#include "common/metrics/event_file.h"

#include <algorithm>
#include <utility>
#include "common/metrics/wall_time.h"
#include "common/io/atomic_file.h"
#include "common/metrics/event_bytes.h"

namespace dyad::metrics {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";    // what TensorBoard looks for

// By name, which is by age: TensorBoard goes from one to the next in this order.
Result<std::vector<fs::path>> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator(); at.increment(error))
    if (at->path().filename().string().starts_with(kPrefix) && at->path().extension() == ".dyad")
      files.push_back(at->path());
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(Code::kFailed, "cannot list {}: {}", folder.string(), error.message());
  std::ranges::sort(files);
  return files;
}

// After all that are there, also when the clock was set back or a second has not passed.
fs::path next_name(const fs::path& folder, const std::vector<fs::path>& files) {
  auto number = static_cast<std::uint64_t>(unix_now());
  if (!files.empty()) {
    const std::string last = files.back().filename().string();
    number = std::max<std::uint64_t>(number, std::strtoull(last.c_str() + kPrefix.size(), nullptr, 10) + 1);
  }
  return folder / fmt::format("{}{:010}.dyad", kPrefix, number);
}

}  // namespace

Result<std::vector<ScalarEvent>> read_events(const fs::path& folder) {
  DYAD_TRY(files, event_files(folder));
  std::map<Step, ScalarEvent> by_step;
  for (const fs::path& file : files) {
    DYAD_TRY(text, io::read_file(file));
    std::string_view bytes = text;
    while (const auto record = take_record(bytes))
      if (auto event = parse_event(*record)) by_step[event->step] = std::move(*event);
  }
  std::vector<ScalarEvent> events;
  for (auto& [step, event] : by_step) events.push_back(std::move(event));
  return events;
}

Result<EventFile> EventFile::replace(const fs::path& folder, const std::vector<ScalarEvent>& events) {
  DYAD_TRY(old, event_files(folder));
  const fs::path file = next_name(folder, old);
  const double now = unix_now();
  std::string bytes = framed(version_event(now)) + framed(start_event(now, Step{0}));
  for (const ScalarEvent& event : events) bytes += framed(scalar_event(event));
  EventFile series(GrowingFile(file, std::move(bytes)), std::move(old));
  series.remove_older();
  return series;
}

void EventFile::remove_older() {
  if (!file_.has_begun()) return;
  std::error_code ignored;                       // one that stays holds nothing else, and the next start tries again
  for (const fs::path& older : older_) fs::remove(older, ignored);
  older_.clear();
}

bool EventFile::append(const ScalarEvent& event) {
  const bool written = file_.append(framed(scalar_event(event)));
  remove_older();
  return written;
}

}  // namespace dyad::metrics
