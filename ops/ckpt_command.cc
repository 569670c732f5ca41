// dyad ckpt ls | inspect | verify | diff: a job's checkpoints, without its processes.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/ckpt/diff.h"
#include "common/ckpt/eval_result.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "common/io/files.h"
#include "ops/command.h"

namespace dyad::ops {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::string path, second;
  bool json = false, deep = false;
};

std::uint64_t total_bytes(const ckpt::Manifest& m) {
  std::uint64_t n = 0;
  for (const auto& file : m.files) n += file.bytes;
  return n;
}

std::string megabytes(std::uint64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

void print(const std::string& text) { std::fputs((text + "\n").c_str(), stdout); }

// A job's folder, its checkpoints/ or the folder above step-*: whichever was given.
fs::path listing_dir(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path / "checkpoints", ignored) ? path / "checkpoints" : path;
}

// What the job's own evaluation left beside a checkpoint: its metrics, or null.
json validation_of(const fs::path& checkpoint) {
  const auto own = ckpt::read_own_result(checkpoint, "validation");
  return own ? json(own.value().metrics) : json();
}

std::string figure(const json& metrics, const char* name) {
  const auto found = metrics.is_object() ? metrics.find(name) : metrics.end();
  return found != metrics.end() && found->is_number() ? fmt::format("{:.4f}", found->get<double>()) : "-";
}

// A job's folder in the place of a checkpoint is easily named by mistake.
Status check_is_checkpoint(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path / ckpt::kManifestName, ignored)) return ok();
  const fs::path dir = listing_dir(path);
  DYAD_TRY(found, ckpt::list_checkpoints(dir, ckpt::Depth::kSizes));
  if (found.empty() && dir == path) return ok();                 // the error of reading it says more
  std::string names;
  for (const auto& c : found) names += (names.empty() ? "" : ", ") + c.dir.filename().string();
  return fail(Code::kInvalid, "{} is a job's folder, not a checkpoint; give one of {}: {}", path.string(), dir.string(),
              names.empty() ? "there is none yet" : names);
}

Status list(const Options& options) {
  const fs::path dir = listing_dir(options.path);
  DYAD_TRY(there, io::is_folder(dir));
  if (!there) return fail(Code::kNotFound, "no folder {}: give a job's folder (job.dir)", dir.string());
  DYAD_TRY(found, ckpt::list_checkpoints(dir, options.deep ? ckpt::Depth::kDigests : ckpt::Depth::kSizes));
  std::error_code ignored;
  const std::string best = fs::read_symlink(dir / "best", ignored).filename().string();
  json lines = json::array();
  if (!options.json)
    print(fmt::format("{:<18} {:<11} {:>6} {:>8} {:>12} {:>10} {:>8}", "CHECKPOINT", "STATE", "EPOCH", "BATCH", "SIZE",
                      "RECALL@10", "NDCG@10"));
  for (const auto& c : found) {
    const std::string name = c.dir.filename().string();
    const bool valid = c.state == ckpt::State::kValid;
    const json validation = validation_of(c.dir);
    if (options.json)
      lines.push_back({{"folder", name}, {"step", c.step.value}, {"state", state_name(c.state)}, {"problem", c.problem},
                       {"best", name == best}, {"bytes", total_bytes(c.manifest)}, {"validation", validation}});
    else if (valid)
      print(fmt::format("{:<18} {:<11} {:>6} {:>8} {:>12} {:>10} {:>8}{}", name, "valid", c.manifest.epoch,
                        c.manifest.next_batch, megabytes(total_bytes(c.manifest)),
                        figure(validation, "fusion/recall@10"), figure(validation, "fusion/ndcg@10"),
                        name == best ? "  best" : ""));
    else
      print(fmt::format("{:<18} {:<11} {}", name, state_name(c.state), c.problem));
  }
  if (options.json) print(lines.dump(1));
  return ok();
}

Status inspect(const Options& options) {
  DYAD_TRYV(check_is_checkpoint(options.path));
  DYAD_TRY(m, ckpt::read_manifest(options.path));
  if (options.json) {
    DYAD_TRY(verified, ckpt::verify(options.path, ckpt::Depth::kSizes));
    json files = json::array();
    for (const auto& f : verified.files)
      files.push_back({{"path", f.path}, {"bytes", f.bytes}, {"digest", hex64(f.digest)}});
    print(json{{"job", m.job},
               {"step", m.step.value},
               {"epoch", m.epoch},
               {"next_batch", m.next_batch},
               {"config_digest", hex64(m.config_digest)},
               {"dataset_digest", hex64(m.dataset_digest)},
               {"groups", m.groups},
               {"facts", m.facts},
               {"files", files}}
              .dump(1));
    return ok();
  }
  print(fmt::format(
      "job            {}\nstep           {}\ngoes on at     epoch {}, batch {}\nconfiguration  {}\ndataset        {}",
      m.job, m.step, m.epoch, m.next_batch, hex64(m.config_digest), hex64(m.dataset_digest)));
  for (const auto& [stream, digest] : m.codes) print(fmt::format("codes          {} {}", stream, hex64(digest)));
  for (const auto& [stream, digest] : m.vectors) print(fmt::format("vectors        {} {}", stream, hex64(digest)));
  for (const auto& [name, value] : m.facts) print(fmt::format("{:<14} {}", name, value));
  print(fmt::format("{} files, {}:", m.files.size(), megabytes(total_bytes(m))));
  for (const auto& f : m.files) print(fmt::format("  {:<24} {:>12}  {}", f.path, f.bytes, hex64(f.digest)));
  return ok();
}

Status verify(const Options& options) {
  DYAD_TRYV(check_is_checkpoint(options.path));
  DYAD_TRY(m, ckpt::verify(options.path, ckpt::Depth::kDigests));
  if (options.json) {
    print(json{{"path", options.path}, {"step", m.step.value}, {"files", m.files.size()}, {"bytes", total_bytes(m)},
               {"state", "valid"}}.dump(1));
    return ok();
  }
  print(
      fmt::format("{}: step {}, {} files, {}: whole", options.path, m.step, m.files.size(), megabytes(total_bytes(m))));
  return ok();
}

// Gives whether they are equal.
Result<bool> compare(const Options& options) {
  DYAD_TRYV(check_is_checkpoint(options.path));
  DYAD_TRYV(check_is_checkpoint(options.second));
  DYAD_TRY(report, ckpt::diff(options.path, options.second));
  if (options.json) {
    json list = json::array();
    for (const auto& d : report.differences)
      list.push_back({{"where", d.where}, {"what", d.what}, {"max_abs", d.max_abs}});
    print(json{{"equal", report.equal()}, {"differences", list}, {"notes", report.notes}}.dump(1));
    return report.equal();
  }
  for (const auto& d : report.differences)
    print(fmt::format("{}: {}{}", d.where, d.what,
                      d.max_abs > 0 ? fmt::format(", at most {:.3g} apart", d.max_abs) : ""));
  for (const auto& note : report.notes) print("note: " + note);
  print(report.equal() ? "equal, bit for bit" : fmt::format("{} differences", report.differences.size()));
  return report.equal();
}

CLI::App* add_leaf(CLI::App* parent, const char* name, const char* help, const std::shared_ptr<Options>& options,
                   const char* path_help) {
  auto* leaf = parent->add_subcommand(name, help);
  leaf->add_option("path", options->path, path_help)->required();
  return leaf;
}

}  // namespace

void add_ckpt_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("ckpt", "List, look into, verify and compare checkpoints");
  command->require_subcommand(1);
  command->footer("Example: dyad ckpt ls run");
  auto options = std::make_shared<Options>();
  auto* ls =
      add_leaf(command, "ls", "Checkpoints of a job and whether they are whole", options, "the job's folder (job.dir)");
  ls->add_flag("--deep", options->deep, "read every byte instead of looking at sizes");
  ls->add_flag("--json", options->json, "for scripts");
  ls->footer("Example: dyad ckpt ls run");
  ls->callback([options, &exit_code] { exit_code = finish(list(*options)); });
  auto* look = add_leaf(command, "inspect", "What a checkpoint says of itself", options, "a step-* folder, or best");
  look->add_flag("--json", options->json, "for scripts");
  look->footer("Example: dyad ckpt inspect run/checkpoints/best");
  look->callback([options, &exit_code] { exit_code = finish(inspect(*options)); });
  auto* check = add_leaf(command, "verify", "Reads every byte; names the first file that is not as the manifest says",
                         options, "a step-* folder");
  check->add_flag("--json", options->json, "for scripts; a checkpoint that is not whole is told by the exit code");
  check->footer("Example: dyad ckpt verify run/checkpoints/step-0000001234");
  check->callback([options, &exit_code] { exit_code = finish(verify(*options)); });
  auto* diff = add_leaf(command, "diff", "Compares two checkpoints: exit code 0 when equal, 1 when not", options,
                        "a step-* folder");
  diff->add_option("second", options->second, "another one")->required();
  diff->add_flag("--json", options->json, "for scripts");
  diff->footer("Example: dyad ckpt diff a/checkpoints/best b/checkpoints/best");
  diff->callback([options, &exit_code] {
    const auto equal = compare(*options);
    exit_code = !equal.has_value() ? finish(equal.error()) : equal.value() ? 0 : 1;
  });
}

}  // namespace dyad::ops
