#include "common/config/keys.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace dyad::config {
namespace {

Allowed any() { return {}; }
Allowed from(double min) { Allowed a; a.min = min; return a; }
Allowed between(double min, double max) { Allowed a; a.min = min; a.max = max; return a; }
Allowed above(double min) { Allowed a; a.min = min; a.above_min = true; return a; }
Allowed rate() { Allowed a = between(0, 1); a.below_max = true; return a; }          // [0, 1)
Allowed share() { Allowed a = between(0, 1); a.above_min = true; return a; }         // (0, 1]
Allowed one_of(std::vector<std::string_view> choices) { Allowed a; a.choices = std::move(choices); return a; }
Allowed not_empty() { Allowed a; a.not_empty = true; return a; }
Allowed starting_with(std::string_view prefix) { Allowed a; a.prefix = prefix; a.not_empty = true; return a; }

constexpr double kU32 = 4294967295.0;
constexpr auto R = Decides::kResult;
constexpr auto M = Decides::kModel;
constexpr auto N = Decides::kNothing;

#define KEY(section, name, allowed, decides, help) \
  {#section, #name, [](Config& c) -> Field { return &c.section.name; }, allowed, decides, help}

const std::vector<Key>& table() {
  static const std::vector<Key> rows = {
      KEY(job, name, not_empty(), N, "name of the run, for logs and the status page"),
      KEY(job, dir, not_empty(), N, "folder of the run: checkpoints, journal, logs, addresses"),
      KEY(job, data, not_empty(), N, "dataset folder, as `dyad import` writes it"),
      KEY(job, init_from, any(), N,
          "checkpoint of another job: a new job begins with its weights; empty: with drawn ones. `dyad train "
          "--init-from` sets it"),
      KEY(job, seed, from(0), R, "every random choice is a function of it"),
      KEY(job, log_level, one_of({"trace", "debug", "info", "warn", "error"}), N, "least severity that is logged"),
      KEY(job, stale_codes, any(), N,
          "train although the codes were built from other vectors than those of the dataset's folder (model.gct)"),

      KEY(model, dim, between(8, 4096), M, "width of the model, floats in a row"),
      KEY(model, heads, between(1, 64), M, "attention heads; divides dim"),
      KEY(model, ffn, between(8, 65536), M, "width of the feed-forward layers"),
      KEY(model, encoder_layers, between(1, 64), M, "layers of the shared encoder"),
      KEY(model, decoder_layers, between(1, 64), M, "layers of each of the two decoders"),
      KEY(model, history, between(1, 4096), M, "most items of a user's history that are read"),
      KEY(model, dropout, rate(), R, "dropout probability"),
      KEY(model, gct, any(), M, "global contrastive task on or off"),
      KEY(model, stt, any(), M, "semantic-guided transfer task on or off"),
      KEY(model, lambda1, from(0), R, "weight of the contrastive loss"),
      KEY(model, lambda2, from(0), R, "weight of the transfer task's losses"),
      KEY(model, mask_rate, share(), R,
          "share of a path's codes masked for reconstruction, one code at least; stt = false turns the task off"),
      KEY(model, replace_rate, share(), R,
          "share of a path's codes replaced for recognition, one code at least; stt = false turns the task off"),
      KEY(model, stt_layers, between(1, 64), M, "layers of the transfer task's transformer"),
      KEY(model, stt_negatives, between(0, 65536), R, "codes sampled to contrast with; 0: all siblings"),
      KEY(model, label_smoothing, rate(), R,
          "of the generation loss at the first level of codes; the levels below have none"),
      KEY(model, history_dropout, rate(), R,
          "share of a history's items left out at random, anew each epoch; training only"),
      KEY(model, init_std, above(0), R, "standard deviation of initial rows and free parameters"),

      KEY(train, epochs, between(1, 1e6), R, "passes over the training samples"),
      KEY(train, batch, between(1, 1 << 20), R, "samples of a step, over all workers"),
      KEY(train, mode, one_of({"sync", "ssp", "async"}), R,
          "sync: a step reads the step before it; ssp: up to `staleness` steps older; async: never waits"),
      KEY(train, staleness, between(0, 1e6), R, "steps that a pull may lag behind, for mode ssp"),
      KEY(train, lr, above(0), R, "peak learning rate"),
      KEY(train, weight_decay, from(0), R, "of AdamW on the dense weights"),
      KEY(train, clip, from(0), R, "largest global norm of the dense gradient; 0: no clipping"),
      KEY(train, schedule, one_of({"constant", "cosine"}), R,
          "learning rate after the warm-up; cosine falls to 0 over all epochs"),
      KEY(train, warmup, between(0, kU32), R, "steps over which the learning rate rises from 0"),
      KEY(train, precision, one_of({"fp32", "bf16"}), R,
          "of activations and matrix products; bf16: twice as fast where processors have it. Weights, sums stay fp32"),
      KEY(train, workers, between(1, 4096), R, "training processes (MPI ranks)"),
      KEY(train, threads, between(1, 1024), R,
          "threads of a worker's matrix products; the rest of a step is serial: prefer a worker a core"),
      KEY(train, device, one_of({"cpu", "cuda"}), R, "where the dense network runs; cuda: one worker a GPU"),
      KEY(train, kernels, one_of({"auto", "avx2", "avx512", "avx512_bf16"}), R,
          "vector instructions on the CPU; auto: the processor's best. Another choice gives other last bits: name one "
          "where a job may move between kinds of processors"),
      KEY(train, allreduce_bucket_mb, above(0), R, "MiB of dense gradients reduced together"),
      KEY(train, max_steps, from(0), N,
          "stop after this many steps; 0: after all epochs. The learning rate's schedule counts all epochs"),
      KEY(train, log_every, between(0, kU32), N, "steps between two lines of <job.dir>/steps.jsonl; 0: none"),
      KEY(train, tensorboard, any(), N,
          "what steps.jsonl and the evaluations say as TensorBoard event files too, in <job.dir>/tensorboard"),

      KEY(rows, optimizer, one_of({"sgd", "adagrad", "rowwise_adagrad", "adam", "adamw"}), R,
          "of the rows on the servers; a row's moments stand still while it gets no gradient (lazy)"),
      KEY(rows, lr_scale, from(0), R, "times the learning rate of the step"),
      KEY(rows, beta1, rate(), R, "of adam and adamw"),
      KEY(rows, beta2, rate(), R, "of adam and adamw"),
      KEY(rows, eps, above(0), R, "added to the denominator"),
      KEY(rows, weight_decay, from(0), R, "of rows that got a gradient"),
      KEY(rows, clip, from(0), R, "largest norm of one row's gradient; 0: no clipping"),
      KEY(rows, wire, one_of({"fp32", "fp16"}), R, "number format of rows and gradients between worker and server"),

      KEY(servers, count, between(1, 4096), N, "parameter servers"),
      KEY(servers, buckets, between(1, 1 << 20), R, "parts that keys are hashed to; a multiple of groups"),
      KEY(servers, groups, between(1, 65536), R, "runs of buckets: owned by one thread, one file each in a checkpoint"),
      KEY(servers, threads, between(1, 1024), N, "owner threads of a server"),
      KEY(servers, bind, starting_with("tcp://"), N, "address that a server listens on; port * is any free one"),
      KEY(servers, http, any(), N,
          "host:port of a server's /healthz, /readyz and /metrics; port 0 is any free one, empty: none"),
      KEY(servers, timeout_ms, between(100, 86400000), N, "a peer silent for this long is gone, milliseconds"),

      KEY(security, key_file, any(), N,
          "key of the job (`dyad key FILE`), the same for every process: peers without it are kept out, traffic is "
          "encrypted (ZeroMQ CURVE); empty: <job.dir>/job.key, which the job makes for itself"),
      KEY(security, trusted_network, any(), N,
          "without key_file: no key at all, plain ports on any address; for a network that is closed anyway"),
      KEY(security, open_http, any(), N,
          "pages of coordinator.http and servers.http, which ask for no key, may be on an address that others reach"),

      KEY(coordinator, bind, starting_with("tcp://"), N, "address of the control port; port * is any free one"),
      KEY(coordinator, http, not_empty(), N, "host:port of status page and /metrics; port 0 is any free one"),
      KEY(coordinator, address, any(), N, "where others find it; empty: read <job.dir>/coordinator.json"),
      KEY(coordinator, heartbeat_ms, between(10, 3600000), N, "time between two heartbeats of a process, milliseconds"),
      KEY(coordinator, lease_batches, between(0, kU32), N, "batches of one lease; 0: an epoch is one lease a worker"),
      KEY(coordinator, dead_after_ms, between(20, 86400000), N,
          "a process without heartbeat for this long is gone, milliseconds"),

      KEY(checkpoint, every_epochs, between(0, kU32), N, "epochs between two checkpoints; 0: none by epochs"),
      KEY(checkpoint, every_steps, between(0, kU32), N, "steps between two checkpoints; 0: none by steps"),
      KEY(checkpoint, keep, between(1, kU32), N, "newest checkpoints that are kept; the best one is kept besides"),

      KEY(eval, beams, between(1, 100000), N, "beams of each stream"),
      KEY(eval, users, between(0, kU32), N, "users of an evaluation on the test split; 0: all"),
      KEY(eval, batch, between(1, 65536), N, "users decoded together"),
      KEY(eval, rank, one_of({"sum", "own"}), N,
          "what orders fusion, the merged list: the sum of both streams' log-probabilities, or an item's own stream's"),
      KEY(eval, workers, between(1, 4096), N, "evaluation processes (MPI ranks)"),
      KEY(eval, threads, between(1, 1024), N, "compute threads of an evaluation process"),
      KEY(eval, during_training, any(), N, "evaluate on validation after each checkpoint"),
      KEY(eval, during_training_users, between(0, kU32), N,
          "users of an evaluation on validation, during training or by hand; 0: all"),
  };
  return rows;
}
#undef KEY

std::string number_text(double value) {
  if (value == static_cast<double>(static_cast<std::int64_t>(value)))
    return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

std::string toml_string(const std::string& text) {                  // as a basic TOML string
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += fmt::format("\\{}", c);
    else if (const auto u = static_cast<unsigned char>(c); u < 0x20 || u == 0x7f) out += fmt::format("\\u{:04X}", u);
    else out += c;
  }
  return out + "\"";
}

std::string range_text(const Allowed& a) {
  const bool low = a.min > -std::numeric_limits<double>::infinity(),
             high = a.max < std::numeric_limits<double>::infinity();
  if (low && high && !a.above_min && !a.below_max)
    return fmt::format("{} to {}", number_text(a.min), number_text(a.max));
  std::string out;
  if (low) out = fmt::format("{} {}", a.above_min ? "more than" : "at least", number_text(a.min));
  if (high)
    out += fmt::format("{}{} {}", low ? " and " : "", a.below_max ? "less than" : "at most", number_text(a.max));
  return out;
}

}  // namespace

std::span<const Key> keys() { return table(); }

std::string variable_name(const Key& key) {
  std::string name = "DYAD_" + key.full_name();
  for (char& c : name) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

const Key* find_key(std::string_view full_name) {
  const auto found = std::ranges::find_if(table(), [&](const Key& k) { return k.full_name() == full_name; });
  return found == table().end() ? nullptr : &*found;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(table(), [&](const Key& k) { return k.section == name; });
}

std::string type_text(const Key& key) {
  Config config;
  constexpr const char* kNames[] = {"string", "true or false", "integer", "integer", "number"};
  return kNames[key.field(config).index()];
}

std::string allowed_text(const Key& key) {
  const Allowed& a = key.allowed;
  if (!a.choices.empty()) {
    std::string out;
    for (std::size_t i = 0; i < a.choices.size(); ++i)
      out += fmt::format("{}{}", i == 0 ? "" : i + 1 == a.choices.size() ? " or " : ", ", a.choices[i]);
    return out;
  }
  if (!a.prefix.empty()) return fmt::format("text that starts with {}", a.prefix);
  if (a.not_empty) return "text, not empty";
  Config config;
  const auto index = key.field(config).index();
  if (index == 0) return "any text";
  return index == 1 ? "true or false" : range_text(a);
}

std::string value_text(const Key& key, const Config& config) {
  Config copy = config;
  return std::visit([](auto* value) -> std::string {
    using T = std::remove_pointer_t<decltype(value)>;
    if constexpr (std::is_same_v<T, std::string>) return toml_string(*value);
    else if constexpr (std::is_same_v<T, double>) {
      std::string text = fmt::format("{}", *value);             // the shortest that reads back as the same
      return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
    } else return fmt::format("{}", *value);
  }, key.field(copy));
}

}  // namespace dyad::config
