// A data set of RecBole is one NAME.inter, or its parts NAME.train.inter, NAME.valid.inter and NAME.test.inter, beside
// one NAME.item.
#include <algorithm>
#include <array>
#include <map>
#include "common/io/files.h"
#include "tools/prepare/import/input_files.h"
#include "tools/prepare/import/recbole_table.h"

namespace dyad::importer {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::array<std::string_view, 3>, 3> kParts{
    {{"train", "training", "train"}, {"valid", "validation", "dev"}, {"test", "testing", "test"}}};

std::optional<std::size_t> part_of(std::string_view name) {
  for (std::size_t p = 0; p < kParts.size(); ++p)
    if (std::find(kParts[p].begin(), kParts[p].end(), name) != kParts[p].end()) return p;
  return std::nullopt;
}

fs::path without_gz(const fs::path& file) { return file.extension() == ".gz" ? file.stem() : file.filename(); }

// "shop.train.inter" -> "shop" and "train"; a name without a part has "".
std::pair<std::string, std::string> name_and_part(const fs::path& inter) {
  const fs::path stem = without_gz(inter).stem();
  std::string part = stem.extension().string();
  if (part.empty() || !part_of(part.substr(1))) return {stem.string(), ""};
  return {stem.stem().string(), part.substr(1)};
}

std::string names_of(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  return fmt::format("{}", fmt::join(names, ", "));
}

// The .inter files of a folder: one, or the parts of one data set in the order of the parts.
Result<std::vector<fs::path>> inters_in(const fs::path& folder) {
  DYAD_TRY(entries, visible_files(folder));
  std::vector<fs::path> found;
  for (const fs::path& entry : entries) if (without_gz(entry).extension() == ".inter") found.push_back(entry);
  if (found.size() == 1) return found;
  std::map<std::size_t, fs::path> parts;
  std::string of;
  for (const fs::path& file : found) {
    const auto [name, part] = name_and_part(file);
    const bool fits = !part.empty() && (of.empty() || of == name) && parts.emplace(*part_of(part), file).second;
    if (!fits)
      return fail(Code::kInvalid, "{}: holds {}; name the file, or the parts of one data set in the order of time",
                  folder.string(), names_of(found));
    of = name;
  }
  if (parts.empty()) return fail(Code::kInvalid, "{}: no .inter file in it", folder.string());
  std::vector<fs::path> ordered;
  for (const auto& [part, file] : parts) ordered.push_back(file);
  return ordered;
}

void add_new(std::vector<fs::path>& files, const fs::path& file) {
  if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
}

// What lies beside an .inter file under its data set's name.
Status look_beside(const fs::path& inter, RecboleFiles& out) {
  const auto [name, part] = name_and_part(inter);
  for (const std::string kind : {".item", ".user", ".net", ".link", ".kg"}) {
    for (const std::string& beside : {without_gz(inter).stem().string() + kind, name + kind, name + kind + ".gz"}) {
      DYAD_TRY(there, io::exists(inter.parent_path() / beside));
      if (!there) continue;
      add_new(kind == ".item" ? out.items : out.unread, inter.parent_path() / beside);
      break;
    }
  }
  return ok();
}

bool holds(const std::vector<fs::path>& files, const fs::path& file) {
  return std::ranges::any_of(files, [&](const fs::path& other) {
    return other.lexically_normal() == file.lexically_normal();
  });
}

// What else lies in the folder of the .inter files: its only .item, whatever its name, describes the items of its only
// data set. Of a folder that was named (`all`) everything else is unread; beside a file that was named, .item files.
Status look_around(const fs::path& folder, bool all, RecboleFiles& out) {
  DYAD_TRY(entries, visible_files(folder));
  std::vector<fs::path> items, others;
  bool other_inter = false;
  for (const fs::path& entry : entries) {
    if (holds(out.inters, entry) || holds(out.items, entry) || holds(out.unread, entry)) continue;
    const fs::path kind = without_gz(entry).extension();
    other_inter = other_inter || kind == ".inter";
    if (kind == ".item") items.push_back(entry);
    else if (all) others.push_back(entry);
  }
  const bool take = out.items.empty() && items.size() == 1 && !other_inter;
  for (const fs::path& item : items) add_new(take ? out.items : out.unread, item);
  for (const fs::path& other : others) add_new(out.unread, other);
  return ok();
}

}  // namespace

Part part_of(const fs::path& inter) {
  const std::string part = name_and_part(inter).second;
  return part.empty() ? Part::kTrain : static_cast<Part>(*part_of(std::string_view(part)));
}

Result<RecboleFiles> find_recbole(const std::vector<fs::path>& paths) {
  RecboleFiles out;
  for (const fs::path& path : paths) {
    DYAD_TRY(is_folder, io::is_folder(path));
    if (is_folder) {
      DYAD_TRY(found, inters_in(path));
      out.inters.insert(out.inters.end(), found.begin(), found.end());
    } else if (without_gz(path).extension() == ".item") {
      out.items.push_back(path);
    } else {
      out.inters.push_back(path);
    }
  }
  if (out.inters.empty()) return fail(Code::kInvalid, "{}: no .inter file given", paths[0].string());
  for (const fs::path& inter : out.inters) {
    DYAD_TRYV(look_beside(inter, out));
  }
  for (const fs::path& path : paths) {
    DYAD_TRY(is_folder, io::is_folder(path));
    const bool is_item = without_gz(path).extension() == ".item";
    if (!is_item) { DYAD_TRYV(look_around(is_folder ? path : path.parent_path() / ".", is_folder, out)); }
  }
  return out;
}

}  // namespace dyad::importer
