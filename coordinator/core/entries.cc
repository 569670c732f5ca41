#include "coordinator/core/entries.h"

#include <array>
#include <optional>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"
#include "common/tables/tables_json.h"

namespace dyad {   // where argument-dependent lookup finds them
template <class Tag, class Rep> void to_json(nlohmann::json& json, const Id<Tag, Rep>& id) { json = id.value; }
template <class Tag, class Rep> void from_json(const nlohmann::json& json, Id<Tag, Rep>& id) { json.get_to(id.value); }
}  // namespace dyad

namespace dyad::coordinator {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Place, epoch, batch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunStarted, job, config_digest, workers, resume, next, checkpoint,
                                                skipped, data, run, eval, manifest, facts,
                                                tables)   // of before: not the last seven
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TablesSaid, tables)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GenerationBegan, generation, why)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MemberJoined, role, id, incarnation, nonce, generation, address, host, pid)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MemberLeft, role, id, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LeaseGranted, id, rank, epoch, first_batch, end_batch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LeaseCompleted, id, end_batch, count, checksum)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LeasesReleased, rank, from)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EpochAudited, epoch, samples, checksum, passed, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CutCommitted, step, next, folder, facts, manifest)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CutRemoved, step)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CutGivenUp, step, why)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Evaluated, folder, split, metrics, manifest, settings)

namespace {

constexpr std::array<const char*, std::variant_size_v<Entry>> kNames = {   // in the order of the variant
    "run_started", "generation_began", "member_joined", "member_left", "lease_granted", "lease_completed",
    "leases_released", "epoch_audited", "cut_committed", "cut_removed", "evaluated", "cut_given_up",
    "tables_said"};

template <std::size_t I = 0> std::optional<Entry> entry_of(const std::string& name, const nlohmann::json& body) {
  if constexpr (I < std::variant_size_v<Entry>) {
    if (name == kNames[I]) return Entry{body.get<std::variant_alternative_t<I, Entry>>()};
    return entry_of<I + 1>(name, body);
  } else {
    return std::nullopt;
  }
}

}  // namespace

std::string encode(const Entry& entry) { return encode(entry, 0); }

// The time lies among the entry's own fields, where decode_entry() and earlier versions pass over it.
std::string encode(const Entry& entry, double unix_s) {
  nlohmann::json body = std::visit([](const auto& e) { return nlohmann::json(e); }, entry);
  if (unix_s > 0) body["time"] = unix_s;
  return nlohmann::json{{kNames[entry.index()], body}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

double time_of(std::string_view record) {
  const auto json = nlohmann::json::parse(record, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != 1 || !json.begin().value().is_object()) return 0;
  const auto time = json.begin().value().find("time");
  return time != json.begin().value().end() && time->is_number() ? time->get<double>() : 0;
}

Result<Entry> decode_entry(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    if (json.is_object() && json.size() == 1) {
      const auto it = json.begin();
      if (auto entry = entry_of(it.key(), it.value())) return std::move(*entry);
    }
  } catch (const nlohmann::json::exception& e) {
    return fail(Code::kInvalid, "not a journal record: {}", printable(e.what(), 200));
  }
  return fail(Code::kInvalid, "not a journal record of this version: {}", printable(text));
}

Result<Entries> decode_entries(const std::vector<std::string>& records, const std::string& file) {
  Entries entries;
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto entry = decode_entry(records[i]);
    if (!entry.has_value()) return fail(Code::kInvalid, "{}: record {}: {}", file, i, entry.error().message);
    entries.push_back(std::move(entry.value()));
  }
  return entries;
}

}  // namespace dyad::coordinator
