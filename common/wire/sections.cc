#include "common/wire/sections.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include "common/base/check.h"

namespace dyad::wire {
namespace {

static_assert(sizeof(RowKey) == 8 && alignof(RowKey) <= 8);

struct Shape {
  const char* message;
  bool keys, values;
  ValueType type;
  const Tables& tables;
};

Status check_size(const Shape& shape, const Section& section, const char* what, std::size_t got, std::size_t want) {
  if (got == want) return ok();
  return fail(Code::kInvalid,
              "{}: {} frame of table {} has {} bytes, {} rows need {}: do all processes run the same configuration?",
              shape.message, what, name_of(shape.tables, section.table), got, section.count, want);
}

Result<std::vector<SectionView>> open(const std::vector<Section>& sections, std::span<const Bytes> frames,
                                      const Shape& shape) {
  const std::size_t per_section = (shape.keys ? 1 : 0) + (shape.values ? 1 : 0);
  if (frames.size() != sections.size() * per_section)
    return fail(Code::kInvalid, "{} of {} sections came with {} frames, {} expected", shape.message, sections.size(),
                frames.size(), sections.size() * per_section);
  std::vector<SectionView> views;
  std::size_t next = 0;
  for (const Section& section : sections) {
    if (static_cast<std::size_t>(section.table) >= shape.tables.size())
      return fail(Code::kInvalid, "{}: section of unknown table {}", shape.message,
                  name_of(shape.tables, section.table));
    SectionView view{section.table, section.count, {}, {}};
    if (shape.keys) {
      const Bytes frame = frames[next++];
      DYAD_TRYV(check_size(shape, section, "key", frame.size(), std::size_t{section.count} * sizeof(RowKey)));
      CHECK_EQ(reinterpret_cast<std::uintptr_t>(frame.data()) % alignof(RowKey), 0u);
      view.keys = {reinterpret_cast<const RowKey*>(frame.data()), section.count};
    }
    if (shape.values) {
      view.values = frames[next++];
      const std::size_t row = row_bytes(shape.tables, section.table, shape.type);
      DYAD_TRYV(check_size(shape, section, "value", view.values.size(), section.count * row));
    }
    views.push_back(view);
  }
  return views;
}

// Infinities and NaN are the numbers whose exponent is all ones. A whole frame at once: the loop has no branches.
template <class Bits, Bits kExponent> bool all_finite(Bytes values) {
  std::uint32_t bad = 0;
  for (std::size_t at = 0; at + sizeof(Bits) <= values.size(); at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, values.data() + at, sizeof bits);
    bad |= static_cast<Bits>(bits & kExponent) == kExponent ? 1u : 0u;
  }
  return bad == 0;
}

}  // namespace

Result<std::vector<SectionView>> open_sections(const Pull& message, std::span<const Bytes> frames,
                                               const Tables& tables) {
  return open(message.sections, frames, {"Pull", true, false, message.values, tables});
}
Result<std::vector<SectionView>> open_sections(const PullReply& message, std::span<const Bytes> frames,
                                               const Tables& tables) {
  return open(message.sections, frames, {"PullReply", false, true, message.values, tables});
}
Result<std::vector<SectionView>> open_sections(const Push& message, std::span<const Bytes> frames,
                                               const Tables& tables) {
  return open(message.sections, frames, {"Push", true, true, message.values, tables});
}

Status check_keys(std::span<const SectionView> sections, const Tables& tables) {
  for (std::size_t s = 0; s < sections.size(); ++s) {
    const SectionView& section = sections[s];
    const TableSpec& spec = tables[static_cast<std::size_t>(section.table)];
    const std::string& table = spec.name;
    for (const SectionView& before : sections.first(s))
      if (before.table == section.table) return fail(Code::kInvalid, "names table {} twice", table);
    if (section.keys.empty()) continue;
    const auto at = std::adjacent_find(section.keys.begin(), section.keys.end(), std::greater_equal<>());
    if (at != section.keys.end())
      return fail(Code::kInvalid, "names key {} of table {} right after key {}: keys must ascend, each once", at[1],
                  table, at[0]);
    if (section.keys.back().value >= spec.key_end)
      return fail(Code::kInvalid,
                  "names key {} of table {}, whose keys are below {}: do all processes read the same job.data?",
                  section.keys.back(), table, spec.key_end);
  }
  return ok();
}

Status check_finite(std::span<const SectionView> sections, const Tables& tables, ValueType type) {
  const auto finite = [type](Bytes values) {
    return type == ValueType::kFp16 ? all_finite<std::uint16_t, 0x7c00>(values)
                                    : all_finite<std::uint32_t, 0x7f800000>(values);
  };
  for (const SectionView& section : sections) {
    if (finite(section.values)) continue;
    const std::size_t row = row_bytes(tables, section.table, type);
    std::size_t i = 0;
    while (finite(section.values.subspan(i * row, row))) ++i;
    return fail(Code::kInvalid, "holds a value that is not finite for key {} of table {}", section.keys[i],
                name_of(tables, section.table));
  }
  return ok();
}

Status check_reply(std::span<const SectionView> sections, const Tables& tables, ValueType type,
                   std::uint64_t bytes_max) {
  for (const SectionView& section : sections) {
    const std::uint64_t bytes = section.count * row_bytes(tables, section.table, type);
    if (bytes > bytes_max)
      return fail(Code::kInvalid,
                  "asks for {} rows of table {}, which are {} bytes; a frame has at most {}: ask for fewer",
                  section.count, name_of(tables, section.table), bytes, bytes_max);
  }
  return ok();
}

}  // namespace dyad::wire
