// The frames of rows behind a header (common/wire/sections.h, row_values.h): | table u8, count u32 | ... as the header
// says them, then the frames themselves.
#include "common/tables/tables_for_test.h"
#include "common/wire/row_values.h"
#include "common/wire/sections.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {
namespace {

const Tables kTables = tables_for_test({.widths = {4, 3, 1}});
constexpr std::size_t kFramesMax = 5, kSectionBytes = 5;

std::string input(char kind, const std::vector<wire::Section>& sections, std::vector<std::string> frames) {
  std::string said;
  for (const wire::Section& section : sections) {
    said += static_cast<char>(section.table);
    said.append(4, '\0');
    put_number(said, said.size() - 4, section.count);
  }
  frames.insert(frames.begin(), {std::string(1, kind), said});
  return join(frames);
}

// Reads every byte of each view, as the row table and the row client do.
void use(const Result<std::vector<wire::SectionView>>& views, wire::ValueType type) {
  if (!views) return;
  for (const wire::SectionView& view : views.value()) {
    std::uint64_t sum = 0;
    for (const RowKey key : view.keys) sum += key.value;
    const std::size_t n = view.values.size() / wire::value_bytes(type);
    CHECK(view.values.empty() || view.values.size() == view.count * wire::row_bytes(kTables, view.table, type));
    std::vector<float> floats(n + 1, static_cast<float>(sum % 2));
    wire::from_wire(view.values.data(), n, type, 1.0f / wire::gradient_scale(type), floats.data());
    wire::add_from_wire(view.values.data(), n, type, 1.0f, floats.data());
    std::vector<std::byte> back(view.values.size());
    wire::to_wire(floats.data(), n, type, wire::gradient_scale(type), back.data());
  }
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string keys(16, 'k');
  return {input(0, {{TableId{0}, 2}}, {keys}),
          input(1, {{TableId{0}, 2}, {TableId{2}, 1}}, {std::string(32, 'v'), std::string(4, 'v')}),
          input(2, {{TableId{1}, 2}}, {keys, std::string(24, 'v')}),
          input(4 + 2, {{TableId{1}, 2}}, {keys, std::string(12, 'v')})};
}

void decode(std::string_view bytes) {
  const std::vector<std::string> parts = split(bytes, 2 + kFramesMax);
  const int kind = parts[0].empty() ? 0 : parts[0][0];
  const auto type = kind & 4 ? wire::ValueType::kFp16 : wire::ValueType::kFp32;
  std::vector<wire::Section> sections;
  for (std::size_t at = 0; at + kSectionBytes <= parts[1].size(); at += kSectionBytes)
    sections.push_back({static_cast<TableId>(static_cast<std::uint8_t>(parts[1][at]) % 4),
                        number_at<std::uint32_t>(parts[1], at + 1)});
  std::vector<std::vector<std::byte>> held;                // exactly as long as the frame: a step beyond is seen
  std::vector<wire::Bytes> frames;
  for (std::size_t i = 2; i < parts.size() && !parts[i].empty(); ++i) {
    const auto frame = std::as_bytes(std::span(parts[i]));
    held.emplace_back(frame.begin(), frame.end());
    frames.push_back(held.back());
  }
  if (kind % 4 == 0) use(wire::open_sections(wire::Pull{Step{1}, type, sections}, frames, kTables), type);
  if (kind % 4 == 1) use(wire::open_sections(wire::PullReply{Step{1}, type, sections}, frames, kTables), type);
  if (kind % 4 == 2) use(wire::open_sections(wire::Push{Step{1}, 1, false, type, sections}, frames, kTables), type);
}

}  // namespace dyad::fuzz
