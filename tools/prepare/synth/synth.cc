#include "tools/prepare/synth/synth.h"

#include "common/base/clock.h"
#include "common/base/progress.h"
#include "common/data/catalogue.h"
#include "common/data/dataset_writer.h"
#include "common/data/item_files.h"
#include "tools/prepare/synth/event_source.h"

namespace dyad::synth {
namespace {

Status check(const Options& o) {
  const auto bad = [](const char* what) { return fail(Code::kInvalid, "synth: {}", what); };
  if (o.users == 0 || o.items == 0 || o.events == 0) return bad("--users, --items and --events must be at least 1");
  if (o.users >= UINT32_MAX || o.items >= UINT32_MAX) return bad("at most 4 billion users and items");
  if (o.events / o.users >= UINT32_MAX / 2 || o.events >= UINT32_MAX) return bad("at most 4 billion events");
  if (o.clusters > o.items) return bad("more --clusters than --items");
  if (!(o.drift >= 0 && o.drift <= 1)) return bad("--drift is a chance, from 0 to 1");
  if (!(o.zipf >= 0 && o.zipf <= 10)) return bad("--zipf is from 0 (all items alike) to 10");
  if (o.partitions == 0 || o.partitions > 10'000) return bad("--partitions is 1 to 10000");
  return ok();
}

io::Matrix vectors_of(const ItemWorld& world, std::uint32_t width) {
  io::Matrix out{world.items(), width, {}};
  out.values.reserve(std::size_t{world.items()} * width);
  for (std::uint32_t i = 0; i < world.items(); ++i) {
    const std::vector<float> row = world.vector(ItemId{i}, width);
    out.values.insert(out.values.end(), row.begin(), row.end());
  }
  return out;
}

}  // namespace

Result<Report> run(const Options& options) {
  const double start = steady_now_s();
  DYAD_TRYV(check(options));
  data::DatasetWriterOptions writing;
  writing.log.partitions = options.partitions;
  writing.force = options.force;
  DYAD_TRY(writer, data::DatasetWriter::create(options.out, writing));
  const auto items = static_cast<std::uint32_t>(options.items);
  const std::uint32_t clusters = options.clusters != 0 ? options.clusters : std::max(1u, items / 50);
  const ItemWorld world(items, clusters, options.zipf, options.seed);
  EventSource source(world, options);
  Progress progress("synth", options.events, "events");
  for (std::uint64_t e = 0; e < options.events; ++e) {
    DYAD_TRYV(writer.append(source.next()));
    if (e % 8192 == 0) progress.at(e);
  }
  progress.at(options.events);
  progress.finish();
  std::vector<data::Item> catalogue;
  for (std::uint32_t i = 0; i < items; ++i) catalogue.push_back(world.text(ItemId{i}));
  if (options.vectors > 0) {
    DYAD_TRYV(data::write_vectors(writer.staged() / "vectors" / "semantic.safetensors", data::digest_of_keys(catalogue),
                                  vectors_of(world, options.vectors), "dyad synth"));
  }
  std::vector<std::string> users;
  for (std::uint64_t u = 0; u < options.users; ++u) users.push_back(fmt::format("u{}", u));
  DYAD_TRYV(writer.finish(catalogue, users));
  return Report{options.users, options.items, options.events, clusters, steady_now_s() - start};
}

}  // namespace dyad::synth
