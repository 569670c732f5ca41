#include "tools/prepare/encode/import_vectors.h"
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <fmt/ranges.h>
#include "common/base/digest.h"
#include "common/base/printable.h"
#include "common/io/npy.h"
#include "common/io/safetensors.h"
#include "tools/prepare/encode/item_keys.h"
#include "tools/prepare/encode/model_folder.h"
#include "tools/prepare/encode/parquet_vectors.h"

namespace dyad::encode {
namespace {

// "a, b, c, ...": the first few of many.
std::string some(const std::vector<std::string>& keys) {
  const std::size_t n = std::min<std::size_t>(keys.size(), 5);
  const auto first = fmt::format("{}", fmt::join(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(n), ", "));
  return printable(first, 400) + (n < keys.size() ? ", ..." : "");
}

Result<io::Matrix> read_matrix(const std::filesystem::path& file, const std::string& tensor) {
  DYAD_TRYV(check_is_fetched(file));
  if (file.extension() == ".npy" && !tensor.empty())
    return fail(Code::kInvalid, "{}: --tensor {}, but a .npy file holds one matrix, without a name; leave --tensor out",
                file.string(), tensor);
  if (file.extension() == ".npy") return io::read_npy(file);
  if (file.extension() == ".safetensors") return io::load_matrix(file, tensor);
  return fail(Code::kInvalid, "{}: neither .safetensors, .npy nor .parquet; convert it to one of them", file.string());
}

// Whether the file itself notes that its rows are this catalogue's items, as our own files do.
Result<bool> notes_its_items(const data::Dataset& dataset, const std::filesystem::path& file) {
  if (file.extension() != ".safetensors") return false;
  DYAD_TRY(tensors, io::Safetensors::open(file));
  const auto items = tensors.metadata().find("items");
  return items != tensors.metadata().end() && items->second == hex64(dataset.keys_digest());
}

Result<ImportedVectors> take_in_order(const data::Dataset& dataset, io::Matrix rows, const ImportOptions& o) {
  DYAD_TRY(noted, notes_its_items(dataset, o.file));
  if (!o.catalogue_order && !noted)
    return fail(Code::kInvalid,
                "{}: nothing says which item each of its {} rows is, and a number that fits is no proof; give the keys "
                "in the order of the rows, --keys FILE (a key a line, or JSON lines), or say --row-order catalogue if "
                "row i is line i of {}",
                o.file.string(), rows.rows, (dataset.dir() / "catalogue.jsonl").string());
  if (rows.rows != dataset.items())
    return fail(Code::kInvalid, "{}: {} rows for the {} items of {}; give the keys of the rows by --keys FILE",
                o.file.string(), rows.rows, dataset.items(), dataset.dir().string());
  return ImportedVectors{std::move(rows), {}};
}

Result<ImportedVectors> place_by_keys(const data::Dataset& dataset, const KeyedVectors& given,
                                      const std::string& file) {
  std::unordered_map<std::string_view, std::size_t> items;
  for (std::uint32_t i = 0; i < dataset.items(); ++i) items.emplace(dataset.item(ItemId{i}).key, i);
  std::unordered_map<std::string_view, std::size_t> row_of;
  ImportedVectors out{{dataset.items(), given.rows.cols, {}}, {}};
  out.rows.values.resize(out.rows.rows * out.rows.cols);
  std::vector<bool> filled(dataset.items());
  for (std::size_t r = 0; r < given.keys.size(); ++r) {
    const auto [before, fresh] = row_of.emplace(given.keys[r], r);
    if (!fresh)
      return fail(Code::kInvalid, "{}: rows {} and {} are both of '{}'; give each item one row", file,
                  before->second + 1, r + 1, printable(given.keys[r]));
    const auto item = items.find(given.keys[r]);
    if (item == items.end()) { out.left_out.push_back(given.keys[r]); continue; }
    filled[item->second] = true;
    std::ranges::copy(given.rows.row(r), out.rows.values.begin() + static_cast<std::ptrdiff_t>(
                                                                       item->second * out.rows.cols));
  }
  std::vector<std::string> missing;
  for (std::uint32_t i = 0; i < dataset.items(); ++i)
    if (!filled[i]) missing.push_back(dataset.item(ItemId{i}).key);
  if (missing.empty()) return out;
  return fail(Code::kInvalid, "{}: {} of the {} items of {} have no row ({}){}; encode all items of the catalogue",
              file, missing.size(), dataset.items(), dataset.dir().string(), some(missing),
              out.left_out.empty() ? ""
                                   : fmt::format(", and {} rows are of keys that it does not have ({})",
                                                 out.left_out.size(), some(out.left_out)));
}

}  // namespace

Result<ImportedVectors> import_vectors(const data::Dataset& dataset, const ImportOptions& o) {
  if (o.file.extension() == ".parquet") {
    if (!o.keys.empty() || o.catalogue_order)
      return fail(Code::kInvalid, "{}: a .parquet file holds its keys in a column; name that by --item-column instead",
                  o.file.string());
    DYAD_TRY(given, read_parquet_vectors(o.file, o.key_column, o.tensor));
    return place_by_keys(dataset, given, o.file.string());
  }
  if (o.keys.empty() && !o.key_column.empty())
    return fail(Code::kInvalid, "{}: --item-column {}, but no keys are read; it names the field of --keys, or a column "
                "of a .parquet", o.file.string(), o.key_column);
  DYAD_TRY(rows, read_matrix(o.file, o.tensor));
  if (o.keys.empty()) return take_in_order(dataset, std::move(rows), o);
  DYAD_TRY(keys, read_keys(o.keys, o.key_column));
  if (keys.size() != rows.rows)
    return fail(Code::kInvalid, "{} has {} keys, {} has {} rows; give one key a row, in their order", o.keys.string(),
                keys.size(), o.file.string(), rows.rows);
  return place_by_keys(dataset, {std::move(keys), std::move(rows)}, o.keys.string());
}

}  // namespace dyad::encode
