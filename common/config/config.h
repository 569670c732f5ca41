#pragma once
// The configuration of a job: one struct per section of the TOML file. Defaults here are the defaults.
// Precedence: default < file < environment (DYAD_MODEL_DIM=64) < --set model.dim=64. Every key has a row in the table
// of keys.cc (name, check, help): parsing, `dyad config`, docs/configuration.md and error messages read that.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::config {

struct Job {
  std::string name = "job";
  std::string dir = "run";               // run/<...>: checkpoints, journal, logs, addresses
  std::string data = "data";             // the dataset folder
  std::string init_from;                 // checkpoint of another job, whose weights this one begins with
  std::uint64_t seed = 1;
  std::string log_level = "info";
  bool stale_codes = false;              // train although the codes were built from other vectors
};
struct Model {                           // EAGER section 3
  std::uint32_t dim = 128, heads = 4, ffn = 512, encoder_layers = 1, decoder_layers = 4, history = 20;
  double dropout = 0.2;
  bool gct = true, stt = true;           // global contrastive task, semantic-guided transfer task
  double lambda1 = 1.0, lambda2 = 1.0;   // their weights
  double mask_rate = 0.5, replace_rate = 0.5;
  std::uint32_t stt_layers = 1, stt_negatives = 0;   // 0: contrast with all siblings, n: with n sampled codes
  double label_smoothing = 0.0;
  double history_dropout = 0.0;          // of whole items of a history
  double init_std = 0.02;                // of rows and free parameters
};
struct Train {
  std::uint32_t epochs = 8, batch = 512; // global batch, over all workers
  std::string mode = "sync";             // sync | ssp | async
  std::uint32_t staleness = 2;           // steps, for ssp
  double lr = 1e-3, weight_decay = 1e-6, clip = 5.0;   // dense: AdamW, clipped by global norm
  std::string schedule = "cosine";       // constant | cosine
  std::uint32_t warmup = 500;            // steps
  std::string precision = "fp32";        // fp32 | bf16
  std::uint32_t workers = 2, threads = 1;// ranks; compute threads a rank
  std::string device = "cpu";            // cpu | cuda
  std::string kernels = "auto";          // auto | avx2 | avx512 | avx512_bf16
  double allreduce_bucket_mb = 1.0;
  std::uint64_t max_steps = 0;           // 0: all epochs
  std::uint32_t log_every = 10;          // steps, to <job.dir>/steps.jsonl
  bool tensorboard = true;               // the same as event files
};
struct Rows {                            // the parameter tables on the servers
  std::string optimizer = "adam";        // sgd | adagrad | rowwise_adagrad | adam | adamw
  double lr_scale = 1.0;                 // times the learning rate of the step
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0;
  double clip = 0.0;                     // largest norm of one row's gradient, 0: none
  std::string wire = "fp32";             // fp32 | fp16
};
struct Servers {
  std::uint32_t count = 2, buckets = 1024, groups = 32, threads = 1;  // threads a server; groups: files of a checkpoint
  std::string bind = "tcp://127.0.0.1:*";
  std::string http = "127.0.0.1:0";      // 0: any free port, written to <job.dir>/servers/ps-N.json
  std::uint32_t timeout_ms = 60000;      // a peer silent for this long is gone
};
struct Security {
  std::string key_file;                  // empty: <job.dir>/job.key, made by the job
  bool trusted_network = false;
  bool open_http = false;                // pages on an address that others reach
};
struct Coordinator {
  std::string bind = "tcp://127.0.0.1:*";    // control port
  std::string http = "127.0.0.1:0";      // 0: any free port, written to <job.dir>/coordinator.json
  std::string address;                   // where others find it; empty: read <job.dir>/coordinator.json
  std::uint32_t heartbeat_ms = 1000, lease_batches = 0;   // 0: an epoch is one lease a rank
  std::uint32_t dead_after_ms = 15000;
};
struct Checkpoint {
  std::uint32_t every_epochs = 1, every_steps = 0, keep = 3;
};
struct Eval {
  std::uint32_t beams = 100, users = 0;  // users 0: all
  std::uint32_t batch = 64;              // users decoded together
  std::string rank = "sum";              // sum | own
  std::uint32_t workers = 1, threads = 1;
  bool during_training = true;           // validation after each checkpoint
  std::uint32_t during_training_users = 0;   // 0: all
};

struct Config {
  Job job;
  Model model;
  Train train;
  Rows rows;
  Servers servers;
  Security security;
  Coordinator coordinator;
  Checkpoint checkpoint;
  Eval eval;
};

struct Sources {
  std::string file;                      // empty: none
  bool environment = true;
  std::vector<std::string> sets;         // "model.dim=64"
};
// Fails with kInvalid naming file and line (or the variable, or the --set), the key, the nearest known key, and what
// values are allowed.
Result<Config> load(const Sources& sources);
std::string to_toml(const Config& config);                  // the resolved file; load() of it gives the same Config
// Digest of what decides the result of a sync run: everything but names, places, ports, log level and server count.
std::uint64_t result_digest(const Config& config);
std::string reference_markdown();                           // docs/configuration.md is this

}  // namespace dyad::config
