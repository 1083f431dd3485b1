// sdk: gives functions the AWS SDK for JavaScript, as Lambda's own Node runtimes have it.
#pragma once

namespace CLI {
class App;
}

namespace reef::cli {
void add_sdk_commands(CLI::App& app, int& status);
}
