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
  Identity out{.dataset = dataset.digest()};
  for (const char* stream : kStreams) {
    DYAD_TRY(trie, open_codes(dataset.dir(), stream, dataset.items()));
    out.codes[stream] = trie.digest();
    out.nodes[stream] = trie.nodes();
    if (!with_vectors) continue;
    DYAD_TRY(vectors, ItemVectors::open(dataset.dir(), stream, dataset.items()));
    DYAD_TRY(digest, vectors.digest());
    out.vectors[stream] = digest;
    DYAD_TRY(built_from, codes_built_from(dataset.dir(), stream));
    if (!built_from.empty() && built_from != hex64(digest)) out.stale.push_back(stream);
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
