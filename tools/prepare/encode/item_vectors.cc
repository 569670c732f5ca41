#include "tools/prepare/encode/item_vectors.h"
#include <algorithm>
#include <cmath>
#include "common/base/digest.h"
#include "common/data/item_files.h"

namespace dyad::encode {
namespace {

// The source of what the file holds, unless it holds `rows`.
std::optional<std::string> replaced_by(const data::Dataset& dataset, codes::Stream stream, const io::Matrix& rows) {
  std::error_code none;
  if (!std::filesystem::exists(codes::vectors_file(dataset.dir(), stream), none)) return std::nullopt;
  const auto before = data::ItemVectors::open(dataset, codes::stream_name(stream));
  if (!before) return "a file that could not be read";
  const auto digest = before.value().digest();
  if (before.value().width() == rows.cols && digest &&
      digest.value() == digest64(std::as_bytes(std::span(rows.values))))
    return std::nullopt;
  const auto source = before.value().metadata().find("source");
  return source == before.value().metadata().end() ? "elsewhere" : source->second;
}

}  // namespace

Result<WrittenVectors> write_vectors(const data::Dataset& dataset, codes::Stream stream, const io::Matrix& rows,
                                     const std::string& source) {
  if (rows.rows != dataset.items() || rows.cols == 0)
    return fail(Code::kInvalid, "{}: {} rows of {} for the {} items of {}; give one row an item", source, rows.rows,
                rows.cols, dataset.items(), dataset.dir().string());
  WrittenVectors out;
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    const auto row = rows.row(i);
    for (std::size_t j = 0; j < row.size(); ++j)
      if (!std::isfinite(row[j]))
        return fail(Code::kInvalid, "{}: the vector of item {} ({}) holds {} at place {}, no finite number", source, i,
                    dataset.item(ItemId{i}).key, row[j], j);
    if (std::ranges::all_of(row, [](float value) { return value == 0; })) out.zeros.push_back(ItemId{i});
  }
  out.replaced = replaced_by(dataset, stream, rows);
  DYAD_TRYV(data::write_vectors(codes::vectors_file(dataset.dir(), stream), dataset.keys_digest(), rows, source));
  return out;
}

}  // namespace dyad::encode
