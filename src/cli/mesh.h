// `atoll mesh [--watch]`: who calls whom through the mesh.
#pragma once

namespace CLI {
class App;
}

namespace reef::cli {

void add_mesh_command(CLI::App& app, int& status);

}  // namespace reef::cli
