#include "cli/command.h"

#include <CLI/CLI.hpp>

#include "cli/images.h"
#include "cli/lifecycle.h"
#include "cli/mesh.h"
#include "cli/names.h"
#include "cli/partitions.h"
#include "cli/sdk.h"
#include "cli/stacks.h"
#include "cli/tools.h"

namespace reef::cli {

int run(int argc, char** argv, const Daemon& daemon) {
  CLI::App app("Runs a whole AWS-style microservices architecture on this machine.", "atoll");
  app.set_version_flag("--version", std::string("atoll ") + daemon.version);
  app.require_subcommand(1);
  app.footer("Start here:  atoll start && atoll deploy my-template.yaml\nEvery AWS client works with AWS_ENDPOINT_URL=http://localhost:4566.");
  int status = 0;
  add_lifecycle_commands(app, daemon, status);
  add_stack_commands(app, status);
  add_image_commands(app, status);
  add_mesh_command(app, status);
  add_partition_commands(app, status);
  add_name_commands(app, status);
  add_sdk_commands(app, status);
  add_tool_commands(app, daemon, status);
  CLI11_PARSE(app, argc, argv);
  return status;
}

}  // namespace reef::cli
