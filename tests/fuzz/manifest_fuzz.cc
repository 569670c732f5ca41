// manifest.json of a checkpoint (common/ckpt/manifest.h). The digest of the rest, which is inside it, is put right.
#include "common/ckpt/manifest.h"
#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/tables/tables_for_test.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {
namespace {

std::string with_digest(std::string_view text) {
  const auto is_shallow = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) { return depth < 64; };
  auto json = nlohmann::json::parse(text, is_shallow, false);   // dump() recurses
  if (!json.is_object()) return std::string(text);
  json.erase("digest");
  json["digest"] = hex64(digest64(json.dump()));
  return json.dump();
}

}  // namespace

std::vector<std::string> seeds() {
  put("a", "xyz");
  ckpt::Manifest manifest{.job = "test \xc3\xa9", .step = Step{9}, .epoch = 1, .next_batch = 2, .config_digest = 3,
                          .dataset_digest = 4, .codes = {{"behaviour", 5}, {"semantic", 6}}, .groups = 1,
                          .tables = tables_for_test(),
                          .files = {{"a", 3, digest64("xyz")}}, .facts = {{"loss", "1.5"}}};
  CHECK(ckpt::write_manifest(folder(), manifest).has_value());
  return {bytes_of(folder() / ckpt::kManifestName)};
}

void decode(std::string_view bytes) {
  put(ckpt::kManifestName, with_digest(bytes));
  const auto read = ckpt::read_manifest(folder());
  if (!read) return;
  (void)ckpt::verify(folder(), ckpt::Depth::kDigests);
  ckpt::Manifest bare = read.value();                      // its files are not here: the rest must come back
  bare.files.clear();
  CHECK(ckpt::write_manifest(folder(), bare).has_value());
  const auto again = ckpt::read_manifest(folder());
  CHECK(again.has_value() && again.value().job == bare.job && again.value().step == bare.step);
  CHECK(again.value().epoch == bare.epoch && again.value().next_batch == bare.next_batch);
  CHECK(again.value().config_digest == bare.config_digest && again.value().dataset_digest == bare.dataset_digest);
  CHECK(again.value().codes == bare.codes && again.value().facts == bare.facts && again.value().groups == bare.groups);
}

}  // namespace dyad::fuzz
