#include "cli/sdk.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/client.h"
#include "cli/programs.h"

namespace reef::cli {
namespace {

// The clients of the services that functions here can call, and the libraries that build on them.
constexpr const char* kPackages[] = {
    "@aws-sdk/client-api-gateway", "@aws-sdk/client-apigatewayv2", "@aws-sdk/client-application-auto-scaling", "@aws-sdk/client-cloudformation",
    "@aws-sdk/client-cloudwatch", "@aws-sdk/client-cloudwatch-logs", "@aws-sdk/client-cognito-identity-provider", "@aws-sdk/client-dynamodb",
    "@aws-sdk/client-ec2", "@aws-sdk/client-ecr", "@aws-sdk/client-ecs", "@aws-sdk/client-elastic-load-balancing-v2",
    "@aws-sdk/client-eventbridge", "@aws-sdk/client-iam", "@aws-sdk/client-lambda", "@aws-sdk/client-route-53",
    "@aws-sdk/client-s3", "@aws-sdk/client-secrets-manager", "@aws-sdk/client-servicediscovery", "@aws-sdk/client-sfn",
    "@aws-sdk/client-sns", "@aws-sdk/client-sqs", "@aws-sdk/client-ssm", "@aws-sdk/client-sts",
    "@aws-sdk/credential-providers", "@aws-sdk/lib-dynamodb", "@aws-sdk/lib-storage", "@aws-sdk/s3-request-presigner", "@aws-sdk/util-dynamodb"};

// The user's own PATH: npm and python3 may be anywhere.
std::vector<std::string> with_path(std::initializer_list<std::string> argv) {
  const char* const path = std::getenv("PATH");
  std::vector<std::string> out = {"/usr/bin/env", std::string("PATH=") + (path ? path : "/usr/bin:/bin")};
  out.insert(out.end(), argv);
  return out;
}

int make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? complain({"", "create " + folder + ": " + error.message()}) : 0;
}

int install_node(const std::string& data) {
  const std::string folder = data + "/functions/runtimes/node";
  if (const int status = make_folder(folder); status != 0) return status;
  std::vector<std::string> argv = with_path({"npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--omit=dev"});
  argv.insert(argv.end(), std::begin(kPackages), std::end(kPackages));
  std::printf("installing the AWS SDK for JavaScript into %s: about a minute\n", folder.c_str());
  std::fflush(stdout);
  const int status = run_program(argv);
  if (status == 127) return complain({"", "there is no npm: apt-get install npm"});
  return status == 0 ? 0 : complain({"", "npm failed with status " + std::to_string(status) + "; see above"});
}

int install_python(const std::string& data) {
  const std::string folder = data + "/functions/runtimes/python/site-packages";
  if (const int status = make_folder(folder); status != 0) return status;
  std::printf("installing boto3 into %s\n", folder.c_str());
  std::fflush(stdout);
  const int status = run_program(with_path({"python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target", folder, "boto3"}));
  return status == 0 ? 0 : complain({"", "python3 -m pip failed with status " + std::to_string(status) + "; without pip: apt-get install python3-pip"});
}

int install(const std::string& data) {
  const int node = install_node(data), python = install_python(data);
  if (node == 0 && python == 0) std::printf("done: functions started from now on can import @aws-sdk/client-* and boto3\n");
  return node != 0 ? node : python;
}

}  // namespace

void add_sdk_commands(CLI::App& app, int& status) {
  static std::string data = ".atoll";
  CLI::App* sdk = app.add_subcommand("sdk", "Give functions the AWS SDKs for JavaScript and Python, as Lambda's own runtimes have them.");
  sdk->require_subcommand(1);
  CLI::App* add = sdk->add_subcommand("install", "Install them with npm and pip, for functions that do not bring them along.");
  add->add_option("--data", data, "the daemon's data folder")->capture_default_str()->envname("ATOLL_DATA");
  add->callback([&] { status = install(data); });
}

}  // namespace reef::cli
