#include "common/wire/sections.h"

#include <cstdint>
#include "common/base/check.h"

namespace dyad::wire {
namespace {

static_assert(sizeof(RowKey) == 8 && alignof(RowKey) <= 8);

struct Shape {
  const char* message;
  bool keys, values;
  ValueType type;
  const TableDims* dims;
};

Status check_size(const Shape& shape, const Section& section, const char* what, std::size_t got, std::size_t want) {
  if (got == want) return ok();
  return fail(Code::kInvalid,
              "{}: {} frame of table {} has {} bytes, {} rows need {}: do all processes run the same configuration?",
              shape.message, what, table_name(section.table), got, section.count, want);
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
    SectionView view{section.table, section.count, {}, {}};
    if (shape.keys) {
      const Bytes frame = frames[next++];
      DYAD_TRYV(check_size(shape, section, "key", frame.size(), std::size_t{section.count} * sizeof(RowKey)));
      CHECK_EQ(reinterpret_cast<std::uintptr_t>(frame.data()) % alignof(RowKey), 0u);
      view.keys = {reinterpret_cast<const RowKey*>(frame.data()), section.count};
    }
    if (shape.values) {
      view.values = frames[next++];
      const std::size_t row = (*shape.dims)[static_cast<std::size_t>(section.table)] * value_bytes(shape.type);
      DYAD_TRYV(check_size(shape, section, "value", view.values.size(), section.count * row));
    }
    views.push_back(view);
  }
  return views;
}

}  // namespace

Result<std::vector<SectionView>> open_sections(const Pull& message, std::span<const Bytes> frames) {
  return open(message.sections, frames, {"Pull", true, false, message.values, nullptr});
}
Result<std::vector<SectionView>> open_sections(const PullReply& message, std::span<const Bytes> frames,
                                               const TableDims& dims) {
  return open(message.sections, frames, {"PullReply", false, true, message.values, &dims});
}
Result<std::vector<SectionView>> open_sections(const Push& message, std::span<const Bytes> frames,
                                               const TableDims& dims) {
  return open(message.sections, frames, {"Push", true, true, message.values, &dims});
}

}  // namespace dyad::wire
