#pragma once
// What is trained and evaluated on: samples of a dataset's histories. Threads: pure functions.
#include <cstddef>
#include <span>
#include <vector>
#include "common/data/dataset.h"

namespace dyad::data {

// Leave-one-out (EAGER section 4.1): the last item of a user is the test target, the one before it validation, the rest
// trains. A user of n >= 3 events gives training samples with targets 1..n-3, users of fewer events train on all of
// them.
enum class Split { kTrain, kValidation, kTest };
// In log order (partition, offset), so that the list is the same on every process. Memory: 16 bytes a sample, and while
// it is made a quarter of a byte an event.
std::vector<Sample> samples(const Dataset& dataset, Split split);
// The items before the target, oldest first, at most `history_max`.
std::span<const ItemId> history(const Dataset& dataset, const Sample& sample, std::size_t history_max);

}  // namespace dyad::data
