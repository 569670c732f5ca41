#pragma once
// key -> slot of a table whose rows are never taken out, at some seven bytes a row and without a pause when it grows.
//
// An entry has 32 bits: the slot, and in the bits that slots do not need yet a tag of the key's hash; the key itself is
// the slab's. Sixteen entries are a line (of the cache), filled from the front; a key's entry is in its line or, where
// that is full, in one of those behind it. Some 24 lines are a segment, a table of its own. Segments are split one by
// one, in turn, as rows come (linear hashing: Litwin 1980), from nine tenths full to two halves that are half full: an
// insert moves the entries of one segment, at most some 500, however large the table is.
//
// Reading a row of a large table waits for memory: the segment, the line, the key, the row. So a caller with many keys
// does one stage for some of them, then the next (RowTable::locate). Threads: one owner. Borrows the slabs.
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>
#include "common/base/random.h"
#include "ps/slab.h"

namespace dyad::ps {

class RowIndex {
  struct Segment;

 public:
  static constexpr std::uint32_t kNone = ~0u;
  struct Probe { std::uint64_t hash; const Segment* segment; };   // of one key; until the next insert
  RowIndex(const Slabs& slabs, std::atomic<std::uint64_t>* memory);

  static std::uint64_t hash(RowKey key) { return mix64(key.value); }
  // Stages of a search, each of which touches memory that the one before has asked for.
  Probe probe(RowKey key) const {
    const Probe p{hash(key), &segment(number(hash(key)))};
    __builtin_prefetch(p.segment);
    return p;
  }
  static void prefetch_line(const Probe& p) { __builtin_prefetch(&p.segment->lines[p.segment->home(p.hash)]); }
  std::uint32_t likely(const Probe& p) const;                     // a slot whose tag is the key's; kNone: not there
  std::uint32_t find(const Probe& p, RowKey key) const;           // kNone: not there

  void insert(std::uint64_t hash, std::uint32_t slot);            // REQUIRES: its key is not there
  void reserve(std::size_t rows);                                 // the splits that so many rows will need
  std::size_t bytes() const { return bytes_.bytes(); }

 private:
  static constexpr std::size_t kEntries = 16, kRowsPerSegment = 256, kChunk = 512;
  struct alignas(64) Line { std::uint32_t entries[kEntries]; };   // slot + 1 below, tag above; 0: free
  struct alignas(32) Segment {
    std::unique_ptr<Line[]> lines;
    std::uint32_t count = 0, used = 0;                            // lines, entries
    std::uint32_t slot_bits = 1;
    std::uint32_t home(std::uint64_t hash) const { return static_cast<std::uint32_t>((hash >> 32) * count >> 32); }
    std::uint32_t tag(std::uint64_t hash) const {                 // other bits than those that choose segment and line
      return static_cast<std::uint32_t>(hash >> 24) & ((1u << (32 - slot_bits)) - 1);
    }
    std::uint32_t slot_mask() const { return static_cast<std::uint32_t>((std::uint64_t{1} << slot_bits) - 1); }
    bool has_room() const { return (used + 1) * 10 <= count * kEntries * 9; }
    void widen();                                                 // slots by one bit, which tags lose
    std::size_t bytes() const { return sizeof(Segment) + count * sizeof(Line); }
    void place(std::uint64_t hash, std::uint32_t slot);
  };

  std::size_t number(std::uint64_t hash) const {                  // those before the next split have one bit more
    const std::size_t at = hash & (2 * round_ - 1);
    return at < count_ ? at : at & (round_ - 1);
  }
  Segment& segment(std::size_t number) const { return chunks_[number / kChunk][number % kChunk]; }
  template <class Match> static std::uint32_t search(const Probe& p, Match match);
  Segment make(std::size_t lines, std::uint32_t slot_bits);
  template <class To> void move_rows(const Segment& from, To to);
  void grow(Segment& segment);
  void put(Segment& segment, std::uint64_t hash, std::uint32_t slot);
  void split();

  const Slabs& slabs_;
  std::vector<std::unique_ptr<Segment[]>> chunks_;                // of kChunk segments: they never move
  std::size_t count_ = 1;                                         // segments
  std::size_t round_ = 1;                                         // a power of two, at most count_; twice it is more
  std::size_t rows_ = 0;
  CountedBytes bytes_;
};

}  // namespace dyad::ps
