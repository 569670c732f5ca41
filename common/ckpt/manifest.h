#pragma once
// A checkpoint is a folder <job.dir>/checkpoints/step-0000001234/ :
//   rows/g0000.rows ...   the rows of each group of buckets (rows_file.h)          written by the servers
//   dense.safetensors     weights, their optimizer                                 written by worker 0
//   config.toml           the resolved configuration                               written by the coordinator
//   manifest.json         what the others are, with sizes and digests; written last
// They are written into a staging folder, and the whole folder gets this name by rename (staging.h). Without
// manifest.json it does not exist ("incomplete"). Files are named relative to the folder.
// Threads: any; no state.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/tables/tables.h"

namespace dyad::ckpt {

// 2: says its tables; rows of code nodes are keyed in the order of the items (data::Trie::key). 1: by the number of the
// node; its rows would be taken for other nodes' and are refused.
inline constexpr std::uint32_t kManifestVersion = 2;
inline constexpr const char* kManifestName = "manifest.json";
inline constexpr const char* kConfigName = "config.toml";

struct ManifestFile {
  std::string path;
  std::uint64_t bytes = 0, digest = 0;             // digest64 of the whole file
  bool operator==(const ManifestFile&) const = default;
};
struct Manifest {
  std::string job;
  Step step;
  std::uint64_t epoch = 0, next_batch = 0;         // where training goes on
  std::uint64_t config_digest = 0;                 // config::result_digest
  std::uint64_t dataset_digest = 0;                // of the log and the catalogue
  std::uint64_t catalogue = 0;                     // of the items' keys in their order
  std::map<std::string, std::uint64_t> codes;      // "behaviour", "semantic" -> digest of the codes
  std::map<std::string, std::uint64_t> vectors;    // the same of the item vectors; empty: not read (model.gct = false)
  std::uint32_t groups = 0;
  Tables tables;                                   // that the rows files number
  std::vector<ManifestFile> files;                 // ascending by path
  std::map<std::string, std::string> facts;        // from worker 0: loss, ...
  std::uint64_t digest = 0;                        // of all of this, so of the checkpoint's content; when read
};

std::string folder_name(Step step);                                            // "step-0000001234"
std::filesystem::path checkpoints_dir(const std::filesystem::path& job_dir);   // <job.dir>/checkpoints

// Sorts the files, checks that each is there with its size (kInvalid naming the first that is not), then writes. Gives
// the digest that it has when it is read.
Result<std::uint64_t> write_manifest(const std::filesystem::path& dir, Manifest manifest);
// kNotFound: no manifest, so no checkpoint. kInvalid: altered or cut short, or of a version this program does not know.
Result<Manifest> read_manifest(const std::filesystem::path& dir);
// The same, if it has that digest (0: any); else kInvalid: it is another checkpoint than was looked at before.
Result<Manifest> read_manifest_of(const std::filesystem::path& dir, std::uint64_t digest);
bool is_of_newer_version(const std::filesystem::path& dir);                    // whatever else is in its manifest
enum class Depth { kSizes, kDigests };                                         // kDigests reads every byte
// The manifest, if every file is as it says; else kInvalid naming the first bad file.
Result<Manifest> verify(const std::filesystem::path& dir, Depth depth);

}  // namespace dyad::ckpt
