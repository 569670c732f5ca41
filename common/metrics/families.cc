#include "common/metrics/families.h"

#include <algorithm>
#include <fmt/format.h>

namespace dyad::metrics {
namespace {

constexpr Kind C = Kind::kCounter, G = Kind::kGauge, H = Kind::kHistogram;

// clang-format off
constexpr Family kFamilies[] = {{"dyad_build_info", G, "version", "1; the version of the program that answers"},
    {"dyad_job_info", G, "name", "1; job.name of the job"},

    {"dyad_step", G, "", "Newest step that a worker computes"},
    {"dyad_total_steps", G, "", "Step at which the job ends"},
    {"dyad_epoch", G, "", "Epoch that is trained on, from 1"},
    {"dyad_epochs", G, "", "Epochs of the job"},
    {"dyad_generation", G, "", "Number of the life of the processes: each loss of one begins the next"},
    {"dyad_restarts_total", C, "", "Times the job went back to a checkpoint: resumes and lost processes"},
    {"dyad_failed_audits", G, "", "1 if the audit of an epoch failed: not every sample was trained on exactly once"},

    {"dyad_checkpoints", G, "", "Committed checkpoints on disk"},
    {"dyad_pending_cuts", G, "", "Checkpoints that are being written"},
    {"dyad_committed_cuts_total", C, "", "Checkpoints committed since the job began"},
    {"dyad_failed_cuts_total", C, "", "Checkpoints begun and not committed, since the coordinator started"},
    {"dyad_last_checkpoint_step", G, "", "Step of the newest checkpoint, 0 before the first"},
    {"dyad_last_checkpoint_timestamp_seconds", G, "", "When the newest checkpoint was committed, unix time"},

    {"dyad_evaluation_backlog", G, "", "Checkpoints without a validation result"},
    {"dyad_evaluated_step", G, "which, split", "Step of the newest and of the best evaluated checkpoint"},
    {"dyad_recall", G, "which, split, list, k", "Recall@k of the newest and of the best evaluated checkpoint"},
    {"dyad_ndcg", G, "which, split, list, k", "NDCG@k of the newest and of the best evaluated checkpoint"},

    {"dyad_up", G, "role, id", "1 while the process takes part, 0 when it left or is taken for dead"},
    {"dyad_heartbeat_age_seconds", G, "role, id", "Since the coordinator heard of the process"},
    {"dyad_process_step", G, "role, id", "Step that the process says it is at"},
    {"dyad_process_starts_total", C, "role, id", "Times that this process of the job was started"},
    {"process_start_time_seconds", G, "role, id", "When the process started, unix time"},
    {"process_cpu_seconds_total", C, "role, id", "Processor time that the process used"},
    {"process_resident_memory_bytes", G, "role, id", "Resident memory"},
    {"process_open_fds", G, "role, id", "Open file descriptors"},
    {"process_max_fds", G, "role, id", "Most file descriptors that the process may open"},

    {"dyad_loss", G, "role, id, part, stream, level",
     "Loss of the last reported step; part: total, gen (by stream and level), con, recon, recog"},
    {"dyad_learning_rate", G, "role, id", "Learning rate of the last reported step"},
    {"dyad_samples_per_second", G, "role, id", "Samples of the whole job a second, as this worker sees it"},
    {"dyad_staleness_steps", G, "role, id", "Steps that the rows of a worker's last pull were behind"},
    {"dyad_step_seconds", H, "role, id", "Time of one step of a worker"},
    {"dyad_phase_seconds_total", C, "role, id, phase", "Where a worker's time went"},
    {"dyad_pulled_rows_total", C, "role, id", "Rows that a worker asked for or a server gave"},
    {"dyad_pulled_bytes_total", C, "role, id", "Bytes of rows that a worker pulled"},
    {"dyad_pushed_bytes_total", C, "role, id", "Bytes of gradients that a worker pushed"},
    {"dyad_resent_pushes_total", C, "role, id", "Pushes that a worker sent again"},

    {"dyad_rows", G, "role, id", "Rows that a server holds"},
    {"dyad_row_memory_bytes", G, "role, id", "Memory of a server's rows, what a checkpoint still holds included"},
    {"dyad_applied_step", G, "role, id", "Last step that a server applied"},
    {"dyad_waiting_pulls", G, "role, id", "Pulls that wait for a step"},
    {"dyad_held_pushes", G, "role, id", "Pushes that wait for those of other ranks"},
    {"dyad_pulls_total", C, "role, id", "Pulls that a server answered"},
    {"dyad_pushes_total", C, "role, id", "Pushes that a server took"},
    {"dyad_duplicate_pushes_total", C, "role, id", "Pushes that a server had already"},
    {"dyad_refused_requests_total", C, "role, id", "Requests that a server refused"},
    {"dyad_pushed_rows_total", C, "role, id", "Rows in pushes that a server took"},
    {"dyad_updated_rows_total", C, "role, id", "Rows that a server's optimizer updated"},
    {"dyad_received_bytes_total", C, "role, id", "Bytes that a server received"},
    {"dyad_sent_bytes_total", C, "role, id", "Bytes that a server sent"},
    {"dyad_cuts_total", C, "role, id", "Parts of checkpoints that a server wrote"},
    {"dyad_cut_bytes_total", C, "role, id", "Bytes of checkpoints that a server wrote"},
    {"dyad_pull_wait_seconds", H, "role, id", "From a pull's arrival at a server to its answer"},
    {"dyad_apply_seconds", H, "role, id", "Time to apply one step's pushes to a group of rows"},
    {"dyad_cut_seconds", H, "role, id", "Time to write a server's part of a checkpoint"},
};
// clang-format on

constexpr std::string_view name_of(Kind kind) {
  return kind == Kind::kCounter ? "counter" : kind == Kind::kGauge ? "gauge" : "histogram";
}

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family* find_family(std::string_view name) {
  const auto* found = std::ranges::find(kFamilies, name, &Family::name);
  return found == std::end(kFamilies) ? nullptr : found;
}

std::string families_markdown() {
  std::string out = "| name | kind | labels | what |\n|---|---|---|---|\n";
  for (const Family& f : kFamilies)
    out += fmt::format("| `{}` | {} | {} | {} |\n", f.name, name_of(f.kind), f.labels, f.help);
  return out;
}

}  // namespace dyad::metrics
