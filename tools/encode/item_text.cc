#include "tools/encode/item_text.h"
#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include "common/io/npy.h"

namespace dyad::encode {

std::string item_text(const data::Item& item) {
  std::vector<std::string> categories;
  for (const auto& path : item.categories)
    for (const auto& c : path)
      if (!c.empty() && std::find(categories.begin(), categories.end(), c) == categories.end()) categories.push_back(c);
  std::string out;
  const auto sentence = [&](const std::string& text) {
    if (!text.empty()) out += (out.empty() ? "" : " ") + text + ".";
  };
  sentence(item.title);
  if (!item.brand.empty()) sentence("Brand: " + item.brand);
  if (!categories.empty()) sentence(fmt::format("Categories: {}", fmt::join(categories, ", ")));
  return out.empty() ? item.key : out;
}

Status write_vectors(const std::filesystem::path& data, codes::Stream stream, const io::Matrix& rows, std::size_t items,
                     const std::string& source) {
  if (rows.rows != items || rows.cols == 0)
    return fail(Code::kInvalid,
                "{}: {} rows of {} for the {} items of {}; give one row an item, in the order of the catalogue", source,
                rows.rows, rows.cols, items, data.string());
  for (std::size_t i = 0; i < rows.values.size(); ++i)
    if (!std::isfinite(rows.values[i]))
      return fail(Code::kInvalid, "{}: row {} column {} is {}, no finite number", source, i / rows.cols, i % rows.cols,
                  rows.values[i]);
  const io::Metadata metadata{{"format", "dyad-vectors-1"}, {"source", source}};
  DYAD_TRYV(io::write_safetensors(codes::vectors_file(data, stream),
                                  {{"embedding", io::make_tensor<float>({rows.rows, rows.cols}, rows.values)}},
                                  metadata));
  return ok();
}

Result<io::Matrix> read_vectors(const std::filesystem::path& file, const std::string& name) {
  if (file.extension() == ".npy") return io::read_npy(file);
  if (file.extension() != ".safetensors")
    return fail(Code::kInvalid, "{}: neither .safetensors nor .npy; convert it to one of them", file.string());
  if (!name.empty()) return io::load_matrix(file, name);
  DYAD_TRY(tensors, io::Safetensors::open(file));
  std::vector<std::string> matrices;
  for (const auto& [key, tensor] : tensors.tensors())
    if (tensor.shape.size() == 2) matrices.push_back(key);
  if (matrices.size() != 1)
    return fail(Code::kInvalid, "{}: holds {} matrices ({}); name one by --tensor", file.string(), matrices.size(),
                fmt::join(matrices, ", "));
  return io::load_matrix(file, matrices[0]);
}

}  // namespace dyad::encode
