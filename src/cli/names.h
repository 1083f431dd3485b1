// dns and trust: make this machine's programs find what Atoll names, and believe the certificates that it signs.
#pragma once

namespace CLI {
class App;
}

namespace reef::cli {
void add_name_commands(CLI::App& app, int& status);
}
