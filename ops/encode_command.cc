// dyad encode text | behaviour | import: one vector per item and stream.
#include <cstdio>
#include <memory>
#include <thread>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"
#include "common/base/progress.h"
#include "common/data/dataset.h"
#include "ops/command.h"
#include "ops/ranges.h"
#include "tools/prepare/codes/build.h"
#include "tools/prepare/encode/din.h"
#include "tools/prepare/encode/import_vectors.h"
#include "tools/prepare/encode/item_text.h"
#include "tools/prepare/encode/item_vectors.h"
#include "tools/prepare/encode/sentence_encoder.h"

namespace dyad::ops {
namespace {

struct Options {
  std::string data, model, stream = "semantic", row_order;
  encode::ImportOptions import;
  std::size_t batch = 64;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool random_init = false, json = false;
  encode::DinOptions din;
};

codes::Stream stream_of(const std::string& name) {
  return name == "behaviour" ? codes::Stream::kBehaviour : codes::Stream::kSemantic;
}

Status write(const Options& options, const data::Dataset& dataset, codes::Stream stream, const io::Matrix& rows,
             const std::string& source) {
  DYAD_TRY(written, encode::write_vectors(dataset, stream, rows, source));
  const std::string file = codes::vectors_file(options.data, stream).string();
  if (options.json) {
    const nlohmann::json facts{{"stream", codes::stream_name(stream)}, {"items", rows.rows},
                               {"dims", rows.cols},                    {"file", file},
                               {"zero_vectors", written.zeros.size()}, {"replaced", written.replaced.value_or("")}};
    std::printf("%s\n", facts.dump(1).c_str());
  } else {
    std::printf("%s vectors: %zu items of %zu dims -> %s\n", codes::stream_name(stream), rows.rows, rows.cols,
                file.c_str());
  }
  if (!written.zeros.empty()) std::fprintf(stderr, "%s\n", codes::zeros_text(dataset, written.zeros).c_str());
  if (written.replaced)
    std::fprintf(stderr, "these replace other vectors that were there (from %s): build the codes again\n",
                 written.replaced->c_str());
  return ok();
}

Result<data::Dataset> open_to_write(const Options& options, codes::Stream stream) {
  DYAD_TRY(dataset, data::Dataset::open(options.data));
  DYAD_TRYV(check_can_write(codes::vectors_file(options.data, stream).parent_path()));
  return std::move(dataset);
}

// The text of an item of which nothing is known is its key, which says nothing to a language model.
Status check_have_text(const data::Dataset& dataset) {
  std::size_t without = 0;
  for (const data::Item& item : dataset.catalogue()) without += !encode::has_text(item);
  if (without == dataset.items())
    return fail(Code::kInvalid, "{}: no item has a title, a brand or a category, so there is no text to encode; import "
                "with a file of items (--items) and the names of its fields (--title-key)", dataset.dir().string());
  if (without > 0)
    std::fprintf(stderr, "%zu of %u items have no title, brand or category: their keys are encoded instead\n", without,
                 static_cast<unsigned>(dataset.items()));
  return ok();
}

Status import_file(Options options) {
  DYAD_TRY(dataset, open_to_write(options, stream_of(options.stream)));
  options.import.catalogue_order = !options.row_order.empty();
  DYAD_TRY(imported, encode::import_vectors(dataset, options.import));
  if (!imported.left_out.empty())
    std::fprintf(stderr, "%zu rows are of keys that the catalogue does not have (%s ...): left out\n",
                 imported.left_out.size(), printable(imported.left_out[0]).c_str());
  return write(options, dataset, stream_of(options.stream), imported.rows, options.import.file.string());
}

Status text(const Options& options) {
  DYAD_TRY(dataset, open_to_write(options, codes::Stream::kSemantic));
  DYAD_TRYV(check_have_text(dataset));
  DYAD_TRY(encoder, encode::SentenceEncoder::open(options.model));
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < dataset.items(); ++i) texts.push_back(encode::item_text(dataset.item(ItemId{i})));
  Progress bar("text", texts.size(), "items");
  DYAD_TRY(rows, encoder.encode(texts, {options.batch, options.threads, [&](std::size_t done) { bar.at(done); }}));
  bar.finish();
  return write(options, dataset, codes::Stream::kSemantic, rows, options.model);
}

Status behaviour(Options options) {
  DYAD_TRY(dataset, open_to_write(options, codes::Stream::kBehaviour));
  const auto histories = encode::histories_of(dataset);
  options.din.cooccurrence_init = !options.random_init;
  options.din.threads = options.threads;
  std::unique_ptr<Progress> bar;
  const auto on_epoch = [&](const encode::DinEpoch& e) {
    if (bar) bar->finish();
    bar.reset();
    std::FILE* out = options.json ? stderr : stdout;
    if (e.epoch == 0)
      std::fprintf(out, "before training: next item among the 50 neighbours of the last one: %.4f\n", e.recall);
    else
      std::fprintf(out, "epoch %d: loss %.4f, next item among the 50 neighbours %.4f, %.1f s\n", e.epoch, e.loss,
                   e.recall, e.seconds);
    std::fflush(out);
  };
  const auto on_batch = [&](std::size_t done, std::size_t all) {
    if (!bar) bar = std::make_unique<Progress>("DIN", all, "steps");
    bar->at(done);
  };
  DYAD_TRY(trained, encode::train_din(histories, options.din, on_epoch, on_batch));
  std::fprintf(options.json ? stderr : stdout, "kept: epoch %d of %d, the best of them by that measure%s\n",
               trained.kept.epoch, options.din.epochs, trained.kept.epoch == 0 ? " (training did not improve it)" : "");
  return write(options, dataset, codes::Stream::kBehaviour, trained.rows, "dyad encode behaviour");
}

void add_text(CLI::App& encode, const std::shared_ptr<Options>& options, int& exit_code) {
  auto* command =
      encode.add_subcommand("text", "semantic vectors from titles, brands and categories by a BERT-type model");
  command->add_option("--data", options->data, "the dataset folder")->required();
  command->add_option("--model", options->model, "folder of config.json, model.safetensors and the tokenizer")
      ->required();
  command->add_option("--batch", options->batch, "texts at a time")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "compute threads")
      ->check(threads_in_range())
      ->capture_default_str();
  command->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  command->footer("Example: dyad encode text --data data/ml-100k --model $(tools/fetch_data.sh minilm)");
  command->callback([options, &exit_code] { exit_code = finish(text(*options)); });
}

void add_behaviour(CLI::App& encode, const std::shared_ptr<Options>& options, int& exit_code) {
  auto* command =
      encode.add_subcommand("behaviour", "behaviour vectors by DIN, trained on the training part of the log");
  auto& din = options->din;
  command->add_option("--data", options->data, "the dataset folder")->required();
  command->add_option("--epochs", din.epochs, "passes over the training samples")
      ->check(whole_in(0, kSizeMax))
      ->capture_default_str();
  command->add_option("--dim", din.dim, "floats of a vector")
      ->check(whole_in(2, 65536))
      ->capture_default_str();
  command->add_option("--batch", din.batch, "samples a step")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  command->add_option("--negatives", din.negatives, "sampled items a step")
      ->check(whole_in(1, kSizeMax))
      ->capture_default_str();
  command->add_option("--hidden", din.hidden, "units of the attention MLP")
      ->check(whole_in(1, 65536))
      ->capture_default_str();
  command->add_option("--lr", din.lr, "of the attention unit")
      ->check(real_in(0, 1e3))
      ->capture_default_str();
  command->add_option("--row-lr", din.row_lr, "of the item rows")
      ->check(real_in(0, 1e3))
      ->capture_default_str();
  command->add_option("--dropout", din.dropout, "of the rows of the history")
      ->check(real_in(0, 0.999))
      ->capture_default_str();
  command->add_option("--scale", din.scale, "of the scores at the start")
      ->check(real_in(1e-6, 1e6))
      ->capture_default_str();
  command->add_option("--seed", din.seed, "of everything random")->capture_default_str();
  command->add_option("--threads", options->threads, "compute threads; the result does not depend on their number")
      ->check(threads_in_range())
      ->capture_default_str();
  command->add_flag("--random-init", options->random_init,
                    "start from random rows, not from the factored co-occurrence matrix");
  command->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  command->footer("Example: dyad encode behaviour --data data/ml-100k --epochs 3");
  command->callback([options, &exit_code] { exit_code = finish(behaviour(*options)); });
}

void add_import(CLI::App& encode, const std::shared_ptr<Options>& options, int& exit_code) {
  auto* command = encode.add_subcommand("import", "vectors from a .safetensors, .npy or .parquet file, by item keys");
  auto& import = options->import;
  command->add_option("file", import.file, "the file")->required();
  command->add_option("--data", options->data, "the dataset folder")->required();
  command->add_option("--stream", options->stream, "semantic or behaviour")
      ->check(CLI::IsMember({"semantic", "behaviour"}))
      ->capture_default_str();
  command->add_option("--tensor", import.tensor,
                      "name of the matrix (of the column of lists), where there are several");
  auto* keys = command->add_option("--keys", import.keys,
                                   "whose each row is, for .safetensors and .npy: a key a line, JSON lines or a list");
  command->add_option("--item-column", import.key_column, "the field of --keys, or the .parquet column, with the keys");
  command->add_option("--row-order", options->row_order, "catalogue: without keys, row i is line i of catalogue.jsonl")
      ->check(CLI::IsMember({"catalogue"}))
      ->excludes(keys);
  command->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  command->footer("Example: dyad encode import text.safetensors --keys items.jsonl --data data/beauty\n"
                  "         dyad encode import vectors.parquet --item-column asin --data data/beauty");
  command->callback([options, &exit_code] { exit_code = finish(import_file(*options)); });
}

}  // namespace

void add_encode_command(CLI::App& dyad, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = dyad.add_subcommand("encode", "item vectors: text, behaviour, or from a file");
  command->require_subcommand(1);
  command->footer("Example: dyad encode behaviour --data data/ml-100k");
  add_text(*command, options, exit_code);
  add_behaviour(*command, options, exit_code);
  add_import(*command, options, exit_code);
}

}  // namespace dyad::ops
