#include "common/io/files.h"

#include <algorithm>

namespace dyad::io {
namespace {

namespace fs = std::filesystem;

Error refused(const char* doing, const fs::path& path, const std::error_code& error) {
  const bool missing = error == std::errc::no_such_file_or_directory;
  return fail(missing ? Code::kNotFound : Code::kFailed, "{}: cannot {}: {}", path.string(), doing, error.message());
}

Result<fs::file_type> type_of(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::none) return refused("look at it", path, error);
  return type;
}

}  // namespace

Result<bool> exists(const fs::path& path) {
  DYAD_TRY(type, type_of(path));
  return type != fs::file_type::not_found;
}

Result<bool> is_folder(const fs::path& path) {
  DYAD_TRY(type, type_of(path));
  return type == fs::file_type::directory;
}

Result<std::vector<fs::path>> list_folder(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    found.push_back(at->path());
  if (error) return refused("list", folder, error);
  std::sort(found.begin(), found.end());
  return found;
}

Result<fs::path> absolute(const fs::path& path) {
  std::error_code error;
  fs::path out = fs::absolute(path, error);
  if (error) return refused("make an absolute path of it", path, error);
  return out;
}

}  // namespace dyad::io
