// dyad key: makes a key for a job on machines that do not share job.dir; other jobs make theirs themselves.
#include <cstdio>
#include <memory>
#include <string>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/net/job_key.h"
#include "ops/command.h"

namespace dyad::ops {

void add_key_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("key", "Make a key for a job on machines that do not share job.dir");
  struct Options {
    std::string file;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  command->add_option("file", options->file, "file to make; give it to every process as security.key_file")->required();
  command->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  command->footer("A job without security.key_file makes <job.dir>/job.key for itself. Peers without it are kept out,\n"
                  "and the traffic is encrypted.\n"
                  "Example: dyad key job.key && dyad train --config job.toml --set security.key_file=job.key");
  command->callback([options, &exit_code] {
    const Status writable = check_can_write(folder_of(options->file));
    const Status written = writable ? net::write_job_key(options->file) : writable;
    if (written && options->json) std::printf("%s\n", nlohmann::json{{"file", options->file}}.dump().c_str());
    else if (written)
      std::printf("%s: a new key, readable by you alone; copy it to every machine of the job\n", options->file.c_str());
    exit_code = finish(written);
  });
}

}  // namespace dyad::ops
