// The messages between worker and parameter server.
#include "common/wire/codec_parts.h"

namespace dyad::wire::parts {
namespace {

template <class Builder> void put_sections(const std::vector<Section>& sections, Builder to) {
  auto list = to.initSections(sections.size());
  for (unsigned i = 0; i < sections.size(); ++i) {
    list[i].setTable(static_cast<std::uint8_t>(sections[i].table));
    list[i].setCount(sections[i].count);
  }
}

template <class Reader> Result<std::vector<Section>> get_sections(Reader from) {
  const auto list = from.getSections();
  if (list.size() > kSectionsMax)
    return fail(Code::kInvalid, "message of {} sections, at most {} allowed", list.size(), kSectionsMax);
  std::vector<Section> sections;
  for (const auto s : list) sections.push_back({static_cast<TableId>(s.getTable()), s.getCount()});
  return sections;
}

Result<ValueType> get_values(std::uint8_t values) {
  if (values > static_cast<std::uint8_t>(ValueType::kFp16))
    return fail(Code::kInvalid, "rows of unknown value type {}", values);
  return static_cast<ValueType>(values);
}

}  // namespace

void put(const Pull& m, schema::Pull::Builder to) {
  to.setAtLeast(m.at_least.value);
  to.setValues(static_cast<std::uint8_t>(m.values));
  put_sections(m.sections, to);
}
Result<Pull> get(schema::Pull::Reader from) {
  DYAD_TRY(values, get_values(from.getValues()));
  DYAD_TRY(sections, get_sections(from));
  return Pull{Step{from.getAtLeast()}, values, std::move(sections)};
}

void put(const PullReply& m, schema::PullReply::Builder to) {
  to.setApplied(m.applied.value);
  to.setValues(static_cast<std::uint8_t>(m.values));
  put_sections(m.sections, to);
}
Result<PullReply> get(schema::PullReply::Reader from) {
  DYAD_TRY(values, get_values(from.getValues()));
  DYAD_TRY(sections, get_sections(from));
  return PullReply{Step{from.getApplied()}, values, std::move(sections)};
}

void put(const Push& m, schema::Push::Builder to) {
  to.setStep(m.step.value);
  to.setLearningRate(m.learning_rate);
  to.setCut(m.cut);
  to.setValues(static_cast<std::uint8_t>(m.values));
  put_sections(m.sections, to);
}
Result<Push> get(schema::Push::Reader from) {
  DYAD_TRY(values, get_values(from.getValues()));
  DYAD_TRY(sections, get_sections(from));
  return Push{Step{from.getStep()}, from.getLearningRate(), from.getCut(), values, std::move(sections)};
}

void put(const PushReply& m, schema::PushReply::Builder to) {
  to.setStep(m.step.value);
  to.setDuplicate(m.duplicate);
}
Result<PushReply> get(schema::PushReply::Reader from) { return PushReply{Step{from.getStep()}, from.getDuplicate()}; }

}  // namespace dyad::wire::parts
