#pragma once
// Vectors made elsewhere, put in the order of a catalogue. A row belongs to an item by its place alone, and a count
// that fits is no proof: two files of the same items in other orders look alike, and every item would get another's
// vector. So rows come with keys, or somebody says that their order is the catalogue's. No LibTorch here.
#include <filesystem>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "common/io/matrix.h"

namespace dyad::encode {

struct ImportOptions {
  std::filesystem::path file;                // .safetensors, .npy or .parquet
  std::string tensor;                        // of a .safetensors, or the column of a .parquet; empty: the only matrix
  std::filesystem::path keys;                // item_keys.h, for .safetensors and .npy
  std::string key_column;                    // of `keys` or of the .parquet; empty: one of kKeyFields
  bool catalogue_order = false;              // row i is line i of catalogue.jsonl: somebody said so
};
struct ImportedVectors {
  io::Matrix rows;                           // [items, width], in the order of the catalogue
  std::vector<std::string> left_out;         // keys of rows that the catalogue does not have
};
// A .safetensors of `dyad encode` or `dyad synth` notes its catalogue and needs no keys. Fails with kInvalid if nothing
// tells the order, naming the key if an item has no row or two, or if keys and rows differ in number.
Result<ImportedVectors> import_vectors(const data::Dataset& dataset, const ImportOptions& options);

}  // namespace dyad::encode
