// image import, list, remove; exec: the containers' side of the command.
#pragma once

namespace CLI {
class App;
}

namespace reef::cli {
void add_image_commands(CLI::App& app, int& status);
}
