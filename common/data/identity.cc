#include "common/data/identity.h"

#include "common/base/digest.h"
#include "common/data/item_files.h"

namespace dyad::data {

Identity::Parts Identity::parts() const {
  Parts parts{{"log and catalogue", dataset}};
  for (const auto& [stream, digest] : codes) parts[stream + " codes"] = digest;
  for (const auto& [stream, digest] : vectors) parts[stream + " vectors"] = digest;
  return parts;
}

Result<Identity> identify(const Dataset& dataset, bool with_vectors) {
  Identity out{.dataset = dataset.digest(), .catalogue = dataset.keys_digest()};
  for (const char* stream : kStreams) {
    DYAD_TRY(codes, open_codes(dataset, stream));
    out.codes[stream] = codes.trie.digest();
    if (!codes.sealed) out.unsealed.push_back(fmt::format("codes/{}.safetensors", stream));
    if (!with_vectors) continue;
    DYAD_TRY(vectors, ItemVectors::open(dataset, stream));
    DYAD_TRY(digest, vectors.digest());
    out.vectors[stream] = digest;
    out.widths[stream] = vectors.width();
    if (!vectors.sealed()) out.unsealed.push_back(fmt::format("vectors/{}.safetensors", stream));
    if (!codes.built_from.empty() && codes.built_from != hex64(digest)) out.stale.push_back(stream);
  }
  return out;
}

std::string differing_parts(const Identity::Parts& theirs, const Identity::Parts& ours, const std::string& name) {
  std::string text;
  for (const auto& [part, digest] : ours) {
    const auto found = theirs.find(part);
    if (found != theirs.end() && found->second == digest) continue;
    text += fmt::format("{}{} ({}, {} {})", text.empty() ? "" : ", ", part,
                        found == theirs.end() ? "none" : hex64(found->second), name, hex64(digest));
  }
  return text;
}

std::string differing_names(const Identity::Parts& theirs, const Identity::Parts& ours) {
  std::string names;
  for (const auto& [part, digest] : ours)
    if (const auto found = theirs.find(part); found == theirs.end() || found->second != digest)
      names += (names.empty() ? "" : ", ") + part;
  return names;
}

}  // namespace dyad::data
