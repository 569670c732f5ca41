// dyad key: makes the key that the processes of a job on several machines share.
#include <cstdio>
#include <memory>
#include <string>
#include <CLI/CLI.hpp>
#include "common/net/job_key.h"
#include "ops/command.h"

namespace dyad::ops {

void add_key_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("key", "Make a job's key: peers without it are kept out, traffic is encrypted");
  auto file = std::make_shared<std::string>();
  command->add_option("file", *file, "file to make; give it to every process as security.key_file")->required();
  command->footer("Example: dyad key job.key && dyad train --config job.toml --set security.key_file=job.key");
  command->callback([file, &exit_code] {
    const Status written = net::write_job_key(*file);
    if (written)
      std::printf("%s: a new key, readable by you alone; copy it to every machine of the job\n", file->c_str());
    exit_code = finish(written);
  });
}

}  // namespace dyad::ops
