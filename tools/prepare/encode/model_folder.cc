#include "tools/prepare/encode/model_folder.h"
#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>
#include "common/io/files.h"

namespace dyad::encode {
namespace {

namespace fs = std::filesystem;

bool is_module_name(const std::string& name) {                 // "2_Dense"
  const std::size_t digits = name.find_first_not_of("0123456789");
  return digits != std::string::npos && digits > 0 && name[digits] == '_';
}

// Loaded by the published libraries without a word in any other file.
bool changes_vectors(const std::string& name) {
  return name.starts_with("adapter_config.") || name.starts_with("adapter_model.") ||
         (name.starts_with("sentence_") && name.ends_with("_config.json") && name != "sentence_bert_config.json");
}

}  // namespace

Status check_is_folder(const fs::path& dir) {
  DYAD_TRY(there, io::is_folder(dir));
  if (there) return ok();
  DYAD_TRY(is_other, io::exists(dir));
  if (is_other)
    return fail(Code::kInvalid, "{} is no folder; give the folder of config.json, model.safetensors and the tokenizer",
                dir.string());
  return fail(Code::kNotFound, "no folder {}; nothing is fetched by a model's name: fetch it first (git clone, with "
              "git-lfs) and give its folder", dir.string());
}

Status check_is_fetched(const fs::path& file) {
  constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/";
  std::string head(kPointer.size(), '\0');
  std::ifstream in(file, std::ios::binary);
  if (!in.read(head.data(), static_cast<std::streamsize>(head.size())) || head != kPointer) return ok();
  return fail(Code::kInvalid, "{}: a git-lfs pointer, not the file; fetch the file itself (git lfs pull)",
              file.string());
}

Status check_nothing_unread(const fs::path& dir, const std::vector<fs::path>& read) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(dir, error), end; !error && at != end; at.increment(error))
    entries.push_back(at->path());
  if (error) return fail(Code::kFailed, "{}: {}", dir.string(), error.message());
  std::ranges::sort(entries);
  for (const fs::path& entry : entries) {
    const std::string name = entry.filename().string();
    if (changes_vectors(name))
      return fail(Code::kInvalid, "{} is not read, and it may change the vectors; merge an adapter into the weights, "
                  "or take it away if it is not this model's", entry.string());
    const bool is_read = std::ranges::any_of(read, [&](const fs::path& one) {
      return (one / "").lexically_normal() == (entry / "").lexically_normal();
    });
    if (is_module_name(name) && fs::is_directory(entry, error) && !is_read)
      return fail(Code::kInvalid, "{} is a module that modules.json does not list; fetch the model again, or take the "
                  "folder away if it is not this model's", entry.string());
  }
  return ok();
}

}  // namespace dyad::encode
