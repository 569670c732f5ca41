// dyad ckpt ls | inspect | verify | diff: a job's checkpoints, without its processes.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/diff.h"
#include "common/ckpt/manifest.h"
#include "common/io/files.h"
#include "ops/checkpoint_path.h"
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

// Where a job that goes on from here is: in the middle of an epoch, or behind the last it did. Epochs count from 1.
std::string epoch_text(const ckpt::Manifest& m) {
  return fmt::format("{}", m.next_batch > 0 || m.epoch == 0 ? m.epoch + 1 : m.epoch);
}
std::string batch_text(const ckpt::Manifest& m) {
  return m.next_batch > 0 || m.epoch == 0 ? fmt::format("{}", m.next_batch) : "end";
}

// A folder of a job that has none yet is an empty list; a folder that is no job's is a mistake.
Status check_is_job(const fs::path& path) {
  DYAD_TRY(there, io::is_folder(path));
  if (!there) return fail(Code::kNotFound, "no folder {}: give a job's folder (job.dir)", path.string());
  if (const std::string kind = other_kind(path); kind == "a checkpoint")
    return fail(Code::kInvalid, "{} is a checkpoint; give its job's folder, or look at it with `dyad ckpt inspect`",
                path.string());
  std::error_code ignored;
  const bool is_job = checkpoints_of(path) != path || fs::exists(path / ckpt::kConfigName, ignored);
  if (is_job || path.lexically_normal().filename() == "checkpoints") return ok();
  DYAD_TRY(found, ckpt::list_checkpoints(path, ckpt::Depth::kSizes));
  if (!found.empty()) return ok();
  return fail(Code::kNotFound, "{} is not the folder of a job: it has no config.toml and no checkpoints/; give job.dir",
              path.string());
}

Status list(const Options& options) {
  DYAD_TRYV(check_is_job(options.path));
  const fs::path dir = checkpoints_of(options.path);
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
      print(fmt::format("{:<18} {:<11} {:>6} {:>8} {:>12} {:>10} {:>8}{}", name, "valid", epoch_text(c.manifest),
                        batch_text(c.manifest), megabytes(total_bytes(c.manifest)),
                        figure(validation, "fusion/recall@10"), figure(validation, "fusion/ndcg@10"),
                        name == best ? "  best" : ""));
    else
      print(fmt::format("{:<18} {:<11} {}", name, state_name(c.state), c.problem));
  }
  if (options.json) print(lines.dump(1));
  return ok();
}

Status inspect(const Options& options) {
  DYAD_TRY(path, checkpoint_of(options.path, Best::kAdvise));
  DYAD_TRY(m, ckpt::read_manifest(path));
  if (options.json) {
    DYAD_TRY(verified, ckpt::verify(path, ckpt::Depth::kSizes));
    json files = json::array();
    for (const auto& f : verified.files)
      files.push_back({{"path", f.path}, {"bytes", f.bytes}, {"digest", hex64(f.digest)}});
    print(json{{"job", m.job},
               {"step", m.step.value},
               {"epochs_done", m.epoch},
               {"next_batch", m.next_batch},
               {"config_digest", hex64(m.config_digest)},
               {"dataset_digest", hex64(m.dataset_digest)},
               {"catalogue", m.catalogue == 0 ? json() : json(hex64(m.catalogue))},
               {"groups", m.groups},
               {"facts", m.facts},
               {"files", files}}
              .dump(1));
    return ok();
  }
  print(fmt::format(
      "job            {}\nstep           {}\nis at          epoch {}, batch {}\nconfiguration  {}\ndataset        {}",
      m.job, m.step, epoch_text(m), batch_text(m), hex64(m.config_digest), hex64(m.dataset_digest)));
  if (m.catalogue != 0) print(fmt::format("catalogue      {}", hex64(m.catalogue)));
  for (const auto& [stream, digest] : m.codes) print(fmt::format("codes          {} {}", stream, hex64(digest)));
  for (const auto& [stream, digest] : m.vectors) print(fmt::format("vectors        {} {}", stream, hex64(digest)));
  for (const auto& [name, value] : m.facts) print(fmt::format("{:<14} {}", name, value));
  print(fmt::format("{} files, {}:", m.files.size(), megabytes(total_bytes(m))));
  for (const auto& f : m.files) print(fmt::format("  {:<24} {:>12}  {}", f.path, f.bytes, hex64(f.digest)));
  return ok();
}

Status verify(const Options& options) {
  DYAD_TRY(path, checkpoint_of(options.path, Best::kAdvise));
  DYAD_TRY(m, ckpt::verify(path, ckpt::Depth::kDigests));
  if (options.json) {
    print(json{{"path", path.string()}, {"step", m.step.value}, {"files", m.files.size()}, {"bytes", total_bytes(m)},
               {"state", "valid"}}.dump(1));
    return ok();
  }
  print(fmt::format("{}: step {}, {} files, {}: whole", path.string(), m.step, m.files.size(),
                    megabytes(total_bytes(m))));
  return ok();
}

// Gives whether they are equal.
Result<bool> compare(const Options& options) {
  DYAD_TRY(first, checkpoint_of(options.path, Best::kAdvise));
  DYAD_TRY(second, checkpoint_of(options.second, Best::kAdvise));
  DYAD_TRY(report, ckpt::diff(first, second));
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
  ls->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  ls->footer("Example: dyad ckpt ls run");
  ls->callback([options, &exit_code] { exit_code = finish(list(*options)); });
  auto* look = add_leaf(command, "inspect", "What a checkpoint says of itself", options, "a step-* folder, or best");
  look->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  look->footer("Example: dyad ckpt inspect run/checkpoints/best");
  look->callback([options, &exit_code] { exit_code = finish(inspect(*options)); });
  auto* check = add_leaf(command, "verify", "Reads every byte; names the first file that is not as the manifest says",
                         options, "a step-* folder");
  check->add_flag("--json", options->json,
                  "JSON on stdout, and nothing else there; the exit code tells of a checkpoint that is not whole");
  check->footer("Example: dyad ckpt verify run/checkpoints/step-0000001234");
  check->callback([options, &exit_code] { exit_code = finish(verify(*options)); });
  auto* diff = add_leaf(command, "diff", "Compares two checkpoints: exit code 0 when equal, 1 when not", options,
                        "a step-* folder");
  diff->add_option("second", options->second, "another one")->required();
  diff->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  diff->footer("Example: dyad ckpt diff a/checkpoints/best b/checkpoints/best");
  diff->callback([options, &exit_code] {
    const auto equal = compare(*options);
    exit_code = !equal.has_value() ? finish(equal.error()) : equal.value() ? 0 : 1;
  });
}

}  // namespace dyad::ops
