// sdk: gives functions the AWS SDKs for JavaScript and Python, as Lambda's own runtimes have them.
#pragma once

namespace CLI {
class App;
}

namespace reef::cli {
void add_sdk_commands(CLI::App& app, int& status);
}
