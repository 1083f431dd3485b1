#include "app/doctor.h"

#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "cli/resolver_setup.h"
#include "engine/function/interpreters.h"
#include "engine/sandbox/sandboxes.h"

namespace reef::app {
namespace {

const char* describe(sandbox::Tier tier) {
  switch (tier) {
    case sandbox::Tier::kRoot: return "T0: root; own namespaces, network, limits by control groups";
    case sandbox::Tier::kUserNamespaces: return "T1: unprivileged user namespaces; own network, limits by watching";
    case sandbox::Tier::kProcesses: return "T2: plain processes; no isolation of network and files between workloads";
  }
  return "";
}

// As functions see it: without the user's own packages.
bool has_boto3(const std::string& python) {
  const std::string command = "'" + replace_all(python, "'", "'\\''") + "' -I -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec(\"boto3\") is None)' >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

}  // namespace

int doctor() {
  auto sandboxes = sandbox::Sandboxes::start();
  if (!sandboxes) {
    std::fprintf(stderr, "atoll: %s\n", sandboxes.error().message.c_str());
    return 1;
  }
  const sandbox::Capabilities& found = (*sandboxes)->capabilities();
  std::printf("sandboxes    %s\n", describe(found.tier));
  std::printf("network      %s\n", found.isolated_network ? "each sandbox has its own; outbound connections pass the daemon"
                                                                 : "shared with the host: security groups, network ACLs and partitions do nothing");
  int status = 0;
  for (const auto& [language, name] : {std::pair{function::Language::kNode, "node"}, std::pair{function::Language::kPython, "python"}}) {
    const auto all = function::find_interpreters(language);
    if (all.empty()) {
      std::printf("%-12s missing\n             fix: apt-get install %s\n", name, language == function::Language::kNode ? "nodejs" : "python3");
      status = 1;
    }
    for (const auto& one : all) {
      std::printf("%-12s %d.%d at %s\n", name, one.major, one.minor, one.program.c_str());
      if (language == function::Language::kNode) std::printf("             for functions that do not bring the AWS SDK along: atoll sdk install\n");
      if (language == function::Language::kPython && !has_boto3(one.program))
        std::printf("             without boto3: functions must bring it along\n             fix: %s\n",
                    one.prefix.empty() ? "apt-get install python3-boto3" : (one.program + " -m pip install boto3").c_str());
    }
  }
  std::printf("names        %s\n", cli::resolver_installed("/etc/resolv.conf") ? "this machine's resolver asks atoll"
                                                                             : "this machine's resolver does not ask atoll: sudo atoll dns install");
  for (const sandbox::Missing& missing : found.missing) {
    std::printf("missing      %s\n             fix: %s\n", missing.what.c_str(), missing.fix.c_str());
    status = 1;
  }
  if (status == 0) std::printf("everything is there\n");
  return status;
}

}  // namespace reef::app
