#include "tools/prepare/import/s3rec_files.h"

#include <algorithm>
#include "common/io/files.h"
#include "tools/prepare/import/input_files.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSequences = "sequences.txt";
constexpr std::string_view kSamples = "_sample";             // NAME_sample.txt: negatives for the test

// The file in `folder`, plain or packed; empty where there is neither.
Result<fs::path> file_or_none(const fs::path& folder, const std::string& name) {
  for (const std::string& candidate : {name, name + ".gz"}) {
    DYAD_TRY(there, io::exists(folder / candidate));
    if (there) return folder / candidate;
  }
  return fs::path();
}

bool is_text(const fs::path& file) {
  return file.extension() == ".txt" || (file.extension() == ".gz" && file.stem().extension() == ".txt");
}

Result<S3recFiles> described_layout(const fs::path& sequences) {
  const fs::path folder = sequences.parent_path();
  S3recFiles out{.sequences = sequences};
  DYAD_TRY(times, file_or_none(folder, "timestamps.txt"));
  DYAD_TRY(items, file_or_none(folder, "items.jsonl"));
  DYAD_TRY(attributes, file_or_none(folder, "attributes.json"));
  out.times = times;
  out.items = items;
  if (items.empty()) out.attributes = attributes;
  else if (!attributes.empty()) out.unread.push_back(attributes);
  return out;
}

Result<S3recFiles> published_layout(const fs::path& sequences) {
  const std::string name = sequences.filename().string().substr(0, sequences.filename().string().find(".txt"));
  S3recFiles out{.sequences = sequences};
  DYAD_TRY(attributes, file_or_none(sequences.parent_path(), name + "_item2attributes.json"));
  DYAD_TRY(samples, file_or_none(sequences.parent_path(), name + std::string(kSamples) + ".txt"));
  out.attributes = attributes;
  if (!samples.empty()) out.unread.push_back(samples);
  return out;
}

// Everything in the folder that is not read is told.
Result<S3recFiles> with_unread(S3recFiles files, const std::vector<fs::path>& entries) {
  for (const fs::path& entry : entries) {
    const auto& [sequences, times, items, attributes, unread] = files;
    const bool known = entry == sequences || entry == times || entry == items || entry == attributes ||
                       std::find(unread.begin(), unread.end(), entry) != unread.end();
    if (!known) files.unread.push_back(entry);
  }
  return files;
}

Result<S3recFiles> in_folder(const fs::path& folder) {
  DYAD_TRY(sequences, file_or_none(folder, kSequences));
  DYAD_TRY(entries, visible_files(folder));
  if (!sequences.empty()) {
    DYAD_TRY(files, described_layout(sequences));
    return with_unread(std::move(files), entries);
  }
  std::vector<S3recFiles> found, with_attributes;
  std::vector<std::string> names;
  for (const fs::path& entry : entries) {
    if (!is_text(entry) || entry.stem().string().find(kSamples) != std::string::npos) continue;
    DYAD_TRY(files, published_layout(entry));
    found.push_back(files);
    names.push_back(entry.filename().string());
    if (!files.attributes.empty()) with_attributes.push_back(files);
  }
  if (found.size() == 1) return with_unread(found[0], entries);
  if (with_attributes.size() == 1) {                         // the others are notes, lists of ids and the like
    return with_unread(with_attributes[0], entries);
  }
  return fail(Code::kInvalid, "{}: holds {}; s3rec wants a folder with a sequences.txt, or one NAME.txt (with its "
              "NAME_item2attributes.json beside it): name the file", folder.string(),
              names.empty() ? "no .txt file" : fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace

Result<S3recFiles> find_s3rec(const std::vector<fs::path>& paths) {
  fs::path main;
  fs::path attributes;
  for (const fs::path& path : paths) {                       // both files of the published layout may be named
    fs::path& into = path.filename().string().find("item2attributes") == std::string::npos ? main : attributes;
    if (!into.empty()) return fail(Code::kInvalid, "{} and {}: s3rec reads one data set", into.string(), path.string());
    into = path;
  }
  if (main.empty()) return fail(Code::kInvalid, "{}: name the file of the sequences, NAME.txt", attributes.string());
  DYAD_TRY(is_folder, io::is_folder(main));
  const bool described = main.filename().string().starts_with(kSequences);
  auto found = is_folder ? in_folder(main) : described ? described_layout(main) : published_layout(main);
  if (found && !attributes.empty()) {
    found.value().attributes = attributes;
    std::erase(found.value().unread, attributes);
  }
  return found;
}

}  // namespace dyad::importer
