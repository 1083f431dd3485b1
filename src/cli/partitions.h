// partition, heal, partitions: cuts the network between two sets of workloads, and joins them again.
#pragma once

namespace CLI {
class App;
}

namespace reef::cli {
void add_partition_commands(CLI::App& app, int& status);
}
