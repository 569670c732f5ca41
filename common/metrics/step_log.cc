#include "common/metrics/step_log.h"

#include <utility>
#include <nlohmann/json.hpp>
#include "common/io/atomic_file.h"

namespace dyad::metrics {
namespace {

std::string line_of(const StepRecord& record) {
  nlohmann::ordered_json line{{"step", record.step.value}, {"epoch", record.epoch}};
  for (const auto& [name, value] : record.values) line[name] = value;
  return line.dump() + "\n";
}

}  // namespace

bool parse_step_line(std::string_view text, StepRecord& out) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("step") || !json.contains("epoch")) return false;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number()) return false;
    if (name == "step") out.step = Step{value.get<std::uint64_t>()};
    else if (name == "epoch") out.epoch = value.get<std::uint64_t>();
    else out.values[name] = value.get<double>();
  }
  return true;
}

Error not_a_step_line(const std::filesystem::path& file, std::uint64_t number) {
  return fail(Code::kInvalid, "{}:{}: not a line of a training curve; remove the file (it decides nothing)",
              file.string(), number);
}

Result<std::vector<StepRecord>> read_step_log(const std::filesystem::path& file) {
  std::vector<StepRecord> records;
  auto text = io::read_file(file);
  if (!text && text.error().code == Code::kNotFound) return records;
  if (!text) return text.error();
  const std::string_view all = text.value();
  for (std::size_t begin = 0, number = 1; begin < all.size(); ++number) {
    const std::size_t end = all.find('\n', begin);
    if (end == std::string_view::npos) break;    // torn
    StepRecord record;
    if (!parse_step_line(all.substr(begin, end - begin), record)) return not_a_step_line(file, number);
    records.push_back(std::move(record));
    begin = end + 1;
  }
  return records;
}

Result<StepLog> StepLog::open(const std::filesystem::path& file, Step from) {
  DYAD_TRY(records, read_step_log(file));
  std::string kept;
  for (const auto& record : records)
    if (record.step <= from) kept += line_of(record);
  return StepLog(GrowingFile(file, std::move(kept)));
}

bool StepLog::append(const StepRecord& record) { return file_.append(line_of(record)); }

}  // namespace dyad::metrics
