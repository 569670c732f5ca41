#include "tools/prepare/import/input_files.h"

#include <algorithm>
#include "common/io/files.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;

bool has_ending(const fs::path& file, const std::vector<std::string>& endings) {
  const std::string name = file.filename().string();
  return std::any_of(endings.begin(), endings.end(), [&](const std::string& ending) { return name.ends_with(ending); });
}

Status add_folder(const fs::path& folder, const Options& options, const std::vector<std::string>& endings,
                  std::vector<fs::path>& out, Intake& intake) {
  DYAD_TRY(entries, visible_files(folder));
  std::vector<std::string> others;
  const std::size_t before = out.size();
  std::error_code ignored;
  for (const fs::path& entry : entries) {
    const std::string name = entry.filename().string();
    if (!options.items.empty() && fs::equivalent(entry, options.items, ignored)) continue;
    if (has_ending(entry, endings)) out.push_back(entry);
    else others.push_back(name);
  }
  intake.not_used(folder, others);
  if (out.size() > before) return ok();
  return fail(Code::kInvalid, "{}: a folder without a file of {} (*{}); name the files", folder.string(),
              options.format, fmt::join(endings, ", *"));
}

}  // namespace

Result<std::vector<fs::path>> visible_files(const fs::path& folder) {
  DYAD_TRY(entries, io::list_folder(folder));
  std::erase_if(entries, [](const fs::path& entry) {
    const std::string name = entry.filename().string();
    return name.starts_with('.') || name.starts_with('_');
  });
  return entries;
}

Result<std::vector<fs::path>> input_files(const Options& options, const std::vector<std::string>& endings,
                                          Intake& intake) {
  std::vector<fs::path> out;
  for (const fs::path& path : options.paths) {
    DYAD_TRY(there, io::exists(path));
    if (!there) return fail(Code::kNotFound, "{}: no such file or folder", path.string());
    DYAD_TRY(is_folder, io::is_folder(path));
    if (!is_folder) out.push_back(path);
    else { DYAD_TRYV(add_folder(path, options, endings, out, intake)); }
  }
  return out;
}

}  // namespace dyad::importer
