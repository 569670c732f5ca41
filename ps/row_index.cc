#include "ps/row_index.h"

#include <algorithm>
#include <bit>
#include <immintrin.h>

namespace dyad::ps {
namespace {

// Which of a line's entries have the tag, as bits.
std::uint32_t matches(const std::uint32_t* entries, std::uint32_t tag, std::uint32_t slot_bits) {
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(slot_bits));
  const __m256i want = _mm256_set1_epi32(static_cast<int>(tag));
  const auto half = [&](const std::uint32_t* from) {
    const __m256i e = _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i equal = _mm256_cmpeq_epi32(_mm256_srl_epi32(e, shift), want);
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(equal)));
  };
  return half(entries) | half(entries + 8) << 8;
}

}  // namespace

void RowIndex::Segment::place(std::uint64_t hash, std::uint32_t slot) {
  std::uint32_t at = home(hash);
  while (lines[at].entries[kEntries - 1] != 0) at = at + 1 == count ? 0 : at + 1;
  std::uint32_t* const free = std::find(lines[at].entries, lines[at].entries + kEntries, 0u);
  *free = static_cast<std::uint32_t>(std::uint64_t{tag(hash)} << slot_bits) | (slot + 1);
  ++used;
}

void RowIndex::Segment::widen() {
  const std::uint32_t slots = slot_mask(), tags = (1u << (31 - slot_bits)) - 1;
  for (std::uint32_t at = 0; at < count; ++at)
    for (std::uint32_t& e : lines[at].entries)
      e = static_cast<std::uint32_t>(std::uint64_t{(e >> slot_bits) & tags} << (slot_bits + 1)) | (e & slots);
  ++slot_bits;
}

// Calls match(slot) with each entry that has the tag until it says true.
template <class Match> std::uint32_t RowIndex::search(const Probe& p, Match match) {
  const Segment& s = *p.segment;
  const std::uint32_t tag = s.tag(p.hash), slots = s.slot_mask();
  for (std::uint32_t at = s.home(p.hash);; at = at + 1 == s.count ? 0 : at + 1) {
    const std::uint32_t* const entries = s.lines[at].entries;
    for (std::uint32_t found = matches(entries, tag, s.slot_bits); found != 0; found &= found - 1) {
      const std::uint32_t entry = entries[std::countr_zero(found)] & slots;
      if (entry == 0) return kNone;              // free: as are all behind it
      if (match(entry - 1)) return entry - 1;
    }
    if (entries[kEntries - 1] == 0) return kNone;
  }
}

RowIndex::RowIndex(const Slabs& slabs, std::atomic<std::uint64_t>* memory) : slabs_(slabs), bytes_(memory) {
  chunks_.emplace_back(new Segment[kChunk]);
  segment(0) = make(4, 10);
}

std::uint32_t RowIndex::likely(const Probe& p) const {
  return search(p, [](std::uint32_t) { return true; });
}

std::uint32_t RowIndex::find(const Probe& p, RowKey key) const {
  return search(p, [&](std::uint32_t slot) { return slabs_.key(slot) == key; });
}

RowIndex::Segment RowIndex::make(std::size_t lines, std::uint32_t slot_bits) {
  Segment segment;
  segment.count = static_cast<std::uint32_t>(lines);
  segment.lines.reset(new Line[lines]());
  segment.slot_bits = slot_bits;
  bytes_.set(bytes_.bytes() + segment.bytes());
  return segment;
}

template <class To> void RowIndex::move_rows(const Segment& from, To to) {
  constexpr std::uint32_t kAhead = 4;             // lines whose keys are asked for before their turn
  const auto each = [&](std::uint32_t line, auto visit) {
    for (const std::uint32_t entry : from.lines[line].entries) {
      if (entry == 0) break;
      visit((entry & from.slot_mask()) - 1);
    }
  };
  for (std::uint32_t at = 0; at < from.count + kAhead; ++at) {
    if (at < from.count) each(at, [&](std::uint32_t slot) { slabs_.prefetch_key(slot); });
    if (at < kAhead) continue;
    each(at - kAhead, [&](std::uint32_t slot) {
      const std::uint64_t h = hash(slabs_.key(slot));
      put(to(h), h, slot);
    });
  }
}

// The first segment of a table, and those that by chance get more keys than others.
void RowIndex::grow(Segment& segment) {
  Segment larger = make(segment.count * std::size_t{4} / 3 + 1, segment.slot_bits);
  move_rows(segment, [&](std::uint64_t) -> Segment& { return larger; });
  bytes_.set(bytes_.bytes() - segment.bytes());
  segment = std::move(larger);
}

void RowIndex::put(Segment& segment, std::uint64_t hash, std::uint32_t slot) {
  if (!segment.has_room()) grow(segment);
  while (slot >= segment.slot_mask()) segment.widen();
  segment.place(hash, slot);
}

// By its next split a half has as many rows as the whole has now: its lines are for them, and two in 25 more.
void RowIndex::split() {
  Segment& from = segment(count_ - round_);
  const std::size_t lines = std::max<std::size_t>(4, from.used * 27 / 25 * 10 / (9 * kEntries) + 1);
  Segment stay = make(lines, from.slot_bits), go = make(lines, from.slot_bits);
  move_rows(from, [&](std::uint64_t h) -> Segment& { return (h & round_) == 0 ? stay : go; });
  bytes_.set(bytes_.bytes() - from.bytes());
  from = std::move(stay);
  if (count_ % kChunk == 0) chunks_.emplace_back(new Segment[kChunk]);
  segment(count_++) = std::move(go);
  if (count_ == 2 * round_) round_ *= 2;
}

void RowIndex::reserve(std::size_t rows) {
  while (count_ * kRowsPerSegment < rows) split();
}

void RowIndex::insert(std::uint64_t hash, std::uint32_t slot) {
  reserve(++rows_);
  put(segment(number(hash)), hash, slot);
}

}  // namespace dyad::ps
