#pragma once
// The tables of one owner thread and what can be done to them: gather, apply a step, freeze. A pure core: no threads,
// no sockets; frames come in as views. The StepClock decides when, the server wires both to sockets. Threads: one
// owner; a ShardSnapshot may be read by any.
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include "common/wire/sections.h"
#include "ps/row_table.h"

namespace dyad::ps {

struct ShardOptions {
  Tables tables;                                  // REQUIRES check(tables)
  std::atomic<std::uint64_t>* memory = nullptr;   // counts the bytes that rows take, those in snapshots included
};

struct ShardSnapshot {
  Step step;
  std::vector<TableSnapshot> tables;
};

// The part of a push that one shard owns: its sections, and of each the positions (empty `split`: all of everything).
struct PushPart {
  std::span<const wire::SectionView> sections;
  std::span<const std::vector<std::uint32_t>> split;   // [sections]
  wire::ValueType type = wire::ValueType::kFp32;
};

class Shard {
 public:
  static Result<std::unique_ptr<Shard>> make(const ShardOptions& options);   // kInvalid: an unknown optimizer

  // Writes the rows of one section into `out` [keys.size(), dim], wire form, at `positions` (empty: all).
  void gather(const wire::SectionView& section, std::span<const std::uint32_t> positions, wire::ValueType type,
              std::byte* out) const;
  // One update of every row with a gradient: gradients of a row are added in the order of `pushes`. Returns rows
  // updated.
  std::size_t apply(float learning_rate, std::span<const PushPart> pushes);
  std::shared_ptr<const ShardSnapshot> freeze(Step step);

  const RowTable& table(TableId id) const { return *tables_[static_cast<std::size_t>(id)]; }
  RowTable& table(TableId id) { return *tables_[static_cast<std::size_t>(id)]; }
  const Tables& tables() const { return specs_; }
  // Groups are of like size: after the first of so many, the indices are made for all of them.
  void reserve(std::size_t groups);
  std::size_t rows() const;
  std::size_t bytes() const;

 private:
  Shard() = default;
  Tables specs_;
  std::vector<std::unique_ptr<RowOptimizer>> optimizers_;          // of each table
  std::vector<std::unique_ptr<RowTable>> tables_;
};

}  // namespace dyad::ps
