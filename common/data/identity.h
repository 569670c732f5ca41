#pragma once
// Which data a job trains on, as digests: all of a job's processes must hold the same, and a resumed job must go on
// with it. Other codes or vectors fit in number and shape and mean other items: everything would run, and the result
// be garbage.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/data/dataset.h"

namespace dyad::data {

struct Identity {
  using Parts = std::map<std::string, std::uint64_t>;
  std::uint64_t dataset = 0;                         // of the log and the catalogue
  std::uint64_t catalogue = 0;                       // of the items' keys in their order
  std::map<std::string, std::uint64_t> codes;        // stream -> digest
  std::map<std::string, std::uint64_t> vectors;      // stream -> digest; empty where nobody reads them (no gct)
  std::map<std::string, std::uint64_t> widths;       // stream -> floats of a vector; empty as `vectors`
  std::vector<std::string> stale;                    // streams whose codes were built from other vectors than these
  std::vector<std::string> unsealed;                 // files that carry no digest of their own: made elsewhere, or old
  Parts parts() const;                               // "log and catalogue", "semantic codes" ... -> digest
};

// Of the folder that `dataset` was opened from. Fails as open_codes() and ItemVectors::open() do.
Result<Identity> identify(const Dataset& dataset, bool with_vectors);

// "semantic codes (<digest>, <name of ours> <digest>), ...": what `theirs` has otherwise than `ours`, or lacks, with
// both digests. Empty: nothing.
std::string differing_parts(const Identity::Parts& theirs, const Identity::Parts& ours, const std::string& name);
// The same without the digests, which are for friends: "semantic codes, log and catalogue".
std::string differing_names(const Identity::Parts& theirs, const Identity::Parts& ours);

}  // namespace dyad::data
