// dyad key: makes a key for a job on machines that do not share job.dir; other jobs make theirs themselves.
#include <cstdio>
#include <memory>
#include <string>
#include <CLI/CLI.hpp>
#include "common/net/job_key.h"
#include "ops/command.h"

namespace dyad::ops {

void add_key_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("key", "Make a key for a job on machines that do not share job.dir");
  auto file = std::make_shared<std::string>();
  command->add_option("file", *file, "file to make; give it to every process as security.key_file")->required();
  command->footer("A job without security.key_file makes <job.dir>/job.key for itself. Peers without it are kept out,\n"
                  "and the traffic is encrypted.\n"
                  "Example: dyad key job.key && dyad train --config job.toml --set security.key_file=job.key");
  command->callback([file, &exit_code] {
    const Status written = net::write_job_key(*file);
    if (written)
      std::printf("%s: a new key, readable by you alone; copy it to every machine of the job\n", file->c_str());
    exit_code = finish(written);
  });
}

}  // namespace dyad::ops
