#include "common/ckpt/manifest.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/base/printable.h"
#include "common/io/atomic_file.h"
#include "common/io/files.h"
#include "common/io/mapped_file.h"
#include "common/tables/tables_json.h"

namespace dyad::ckpt {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::uint64_t from_hex(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || text.size() != 16)
    throw json::other_error::create(501, "\"" + text + "\" is no digest of 16 hexadecimal digits", nullptr);
  return value;
}

json digests_json(const std::map<std::string, std::uint64_t>& digests) {
  json out = json::object();
  for (const auto& [name, digest] : digests) out[name] = hex64(digest);
  return out;
}

std::map<std::string, std::uint64_t> digests_of(const json& j) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [name, digest] : j.items()) out[name] = from_hex(digest);
  return out;
}

json to_json(const Manifest& m) {
  json files = json::array();
  for (const ManifestFile& f : m.files)
    files.push_back({{"path", f.path}, {"bytes", f.bytes}, {"digest", hex64(f.digest)}});
  return {{"version", kManifestVersion},
          {"job", m.job},
          {"step", m.step.value},
          {"epoch", m.epoch},
          {"next_batch", m.next_batch},
          {"config_digest", hex64(m.config_digest)},
          {"dataset_digest", hex64(m.dataset_digest)},
          {"catalogue", hex64(m.catalogue)},
          {"codes", digests_json(m.codes)},
          {"vectors", digests_json(m.vectors)},
          {"groups", m.groups},
          {"tables", m.tables},
          {"files", files},
          {"facts", m.facts}};
}

Manifest from_json(const json& j) {                        // throws json::exception
  Manifest m;
  j.at("job").get_to(m.job);
  j.at("step").get_to(m.step.value);
  j.at("epoch").get_to(m.epoch);
  j.at("next_batch").get_to(m.next_batch);
  m.config_digest = from_hex(j.at("config_digest"));
  m.dataset_digest = from_hex(j.at("dataset_digest"));
  m.catalogue = from_hex(j.at("catalogue"));
  m.codes = digests_of(j.at("codes"));
  m.vectors = digests_of(j.at("vectors"));
  j.at("groups").get_to(m.groups);
  j.at("tables").get_to(m.tables);
  for (const json& f : j.at("files")) m.files.push_back({f.at("path"), f.at("bytes"), from_hex(f.at("digest"))});
  j.at("facts").get_to(m.facts);
  m.digest = from_hex(j.at("digest"));
  return m;
}

// A manifest has three levels. To copy or dump a value recurses as deep as it is nested: deeper ones stop the parser.
bool is_shallow(int depth, json::parse_event_t, json&) {
  if (depth > 3) throw json::other_error::create(502, "nested deeper than a manifest is", nullptr);
  return true;
}

// The digest of everything else in the manifest is inside it: an edit by hand does not go unseen.
std::uint64_t own_digest(json j) {
  j.erase("digest");
  return digest64(j.dump());
}

Status check_file(const fs::path& dir, const ManifestFile& file, Depth depth) {
  const fs::path path = dir / file.path;
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error)
    return fail(Code::kInvalid, "{}: {}, the manifest lists it", path.string(),
                error == std::errc::no_such_file_or_directory ? "missing" : error.message());
  if (bytes != file.bytes)
    return fail(Code::kInvalid, "{}: {} bytes, the manifest says {}", path.string(), bytes, file.bytes);
  if (depth == Depth::kSizes) return ok();
  DYAD_TRY(mapped, io::MappedFile::open(path));
  if (digest64(mapped.bytes()) != file.digest)
    return fail(Code::kInvalid, "{}: altered, its digest is {}, the manifest says {}", path.string(),
                hex64(digest64(mapped.bytes())), hex64(file.digest));
  return ok();
}

}  // namespace

std::string folder_name(Step step) { return fmt::format("step-{:010}", step.value); }
fs::path checkpoints_dir(const fs::path& job_dir) { return job_dir / "checkpoints"; }

Result<std::uint64_t> write_manifest(const fs::path& dir, Manifest manifest) {
  std::sort(manifest.files.begin(), manifest.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  for (const ManifestFile& file : manifest.files) { DYAD_TRYV(check_file(dir, file, Depth::kSizes)); }
  json j = to_json(manifest);
  const std::uint64_t digest = own_digest(j);
  j["digest"] = hex64(digest);
  DYAD_TRYV(io::write_file_atomic(dir / kManifestName, j.dump(1) + "\n"));
  return digest;
}

Result<Manifest> read_manifest(const fs::path& dir) {
  const fs::path path = dir / kManifestName;
  DYAD_TRY(there, io::exists(path));
  if (!there)
    return fail(Code::kNotFound, "{}: no manifest, the checkpoint was never finished", dir.string());
  DYAD_TRY(text, io::read_file(path));
  try {
    const json j = json::parse(text, is_shallow);
    const std::uint32_t version = j.at("version");
    if (version != kManifestVersion)
      return fail(Code::kInvalid, "{}: manifest version {}, this program knows version {}: {}", path.string(), version,
                  kManifestVersion,
                  version > kManifestVersion
                      ? "written by a newer Dyad, use that one"
                      : "written by an older Dyad, whose rows had other keys; use that one, or train again");
    if (from_hex(j.at("digest")) != own_digest(j))
      return fail(Code::kInvalid, "{}: altered, its digest does not fit", path.string());
    Manifest manifest = from_json(j);
    if (const Status tables = check(manifest.tables); !tables)
      return fail(Code::kInvalid, "{}: not a manifest: {}", path.string(), tables.error().message);
    return manifest;
  } catch (const json::exception& e) {
    return fail(Code::kInvalid, "{}: not a manifest: {}", path.string(), printable(e.what(), 200));
  }
}

Result<Manifest> read_manifest_of(const fs::path& dir, std::uint64_t digest) {
  DYAD_TRY(manifest, read_manifest(dir));
  if (digest == 0 || manifest.digest == digest) return std::move(manifest);
  return fail(Code::kInvalid, "{}: its manifest's digest is {}, it was {}: the checkpoint has changed meanwhile",
              dir.string(), hex64(manifest.digest), hex64(digest));
}

bool is_of_newer_version(const fs::path& dir) {
  const auto text = io::read_file(dir / kManifestName);
  if (!text) return false;
  const json j = json::parse(text.value(), nullptr, /*allow_exceptions=*/false);
  const auto version = j.is_object() ? j.find("version") : j.end();
  return version != j.end() && version->is_number_unsigned() && version->get<std::uint64_t>() > kManifestVersion;
}

Result<Manifest> verify(const fs::path& dir, Depth depth) {
  DYAD_TRY(manifest, read_manifest(dir));
  for (const ManifestFile& file : manifest.files) { DYAD_TRYV(check_file(dir, file, depth)); }
  return std::move(manifest);
}

}  // namespace dyad::ckpt
