// dyad synth: a synthetic dataset of any size.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include "ops/command.h"
#include "ops/natural.h"
#include "tools/prepare/synth/synth.h"

namespace dyad::ops {

void add_synth_command(CLI::App& dyad, int& exit_code) {
  struct Chosen {
    synth::Options options;
    bool json = false;
  };
  auto chosen = std::make_shared<Chosen>();
  synth::Options& o = chosen->options;
  CLI::App* command =
      dyad.add_subcommand("synth", "A synthetic dataset: Zipf popularity, clusters, drifting interests");
  command->footer("Example: dyad synth --out data/synth --users 100000 --items 10000 --events 2000000 --seed 1");
  command->add_option("--out", o.out, "The dataset folder to write")->required();
  command->add_option("--users", o.users, "Users, each with a history of its own length")->capture_default_str();
  command->add_option("--items", o.items, "Items of the catalogue")->capture_default_str();
  command->add_option("--events", o.events, "Interactions of all users together")->capture_default_str();
  command->add_option("--seed", o.seed, "Of everything random: the same seed, the same dataset")->capture_default_str();
  command->add_option("--drift", o.drift, "Chance per event that a user's interest moves")->capture_default_str();
  command->add_option("--zipf", o.zipf, "Exponent of popularity within a cluster")->capture_default_str();
  command->add_option("--clusters", o.clusters, "Clusters of items; 0: one per 50 items")->capture_default_str();
  command->add_option("--vectors", o.vectors, "Width of vectors/semantic.safetensors; 0: none")->capture_default_str();
  command->add_option("--partitions", o.partitions, "Partitions of the log")->capture_default_str();
  for (const char* count : {"--users", "--items", "--events", "--seed", "--clusters", "--vectors", "--partitions"})
    command->get_option(count)->check(not_negative);
  command->add_flag("--force", o.force, "Replace an existing dataset");
  command->add_flag("--json", chosen->json, "JSON on stdout, and nothing else there");
  command->callback([chosen, &exit_code] {
    const Status writable = check_can_write(folder_of(chosen->options.out));
    const auto report = writable ? synth::run(chosen->options) : Result<synth::Report>(writable.error());
    if (!report.has_value()) {
      exit_code = finish(report.error());
      return;
    }
    const synth::Report& r = report.value();
    const char* format = chosen->json
        ? "{\"users\": %llu, \"items\": %llu, \"interactions\": %llu, \"clusters\": %llu, \"seconds\": %.3f}\n"
        : "users %llu, items %llu, interactions %llu, clusters %llu, written in %.1f s\n";
    std::printf(format, static_cast<unsigned long long>(r.users), static_cast<unsigned long long>(r.items),
                static_cast<unsigned long long>(r.events), static_cast<unsigned long long>(r.clusters), r.seconds);
  });
}

}  // namespace dyad::ops
