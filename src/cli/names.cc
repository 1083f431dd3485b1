#include "cli/names.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/client.h"
#include "cli/programs.h"
#include "cli/resolver_setup.h"
#include "io/datagrams.h"
#include "wire/dns.h"

namespace reef::cli {
namespace {

using wire::Json;
namespace fs = std::filesystem;

Result<Json, Failure> ask_dns(const Target& target) {
  const auto reply = send(target, "GET", "/_atoll/dns");
  if (!reply) return Err(Failure{"nothing answers at port " + std::to_string(target.port) + ": start it with `atoll start`"});
  auto json = Json::parse(reply->body);
  if (!json || reply->status != 200) return Err(Failure{"the daemon does not say where its DNS server is"});
  if ((*json)["port"].as_int().value_or(0) == 0) return Err(Failure{"this daemon was started without a DNS server (--dns-port -2)"});
  return *std::move(json);
}

int report(const Result<std::string, Failure>& done) {
  if (!done) return complain({"", done.error().message});
  std::printf("%s\n", done->c_str());
  return 0;
}

int install_dns(const Target& target, const std::string& resolv_conf) {
  const auto server = ask_dns(target);
  if (!server) return complain({"", server.error().message});
  return report(install_resolver({.address = server->text("address"), .port = static_cast<int>((*server)["port"].as_int().value_or(0))}, resolv_conf));
}

// The addresses of a name, one a line, as the DNS server gives them.
int look_up(const Target& target, const std::string& name) {
  const auto server = ask_dns(target);
  if (!server) return complain({"", server.error().message});
  const auto wanted = wire::dns::name_from_text(name);
  if (!wanted) return complain({"", "'" + name + "' is not a name"});
  auto socket = io::connect_udp(server->text("address"), static_cast<int>((*server)["port"].as_int().value_or(0)));
  if (!socket) return complain({"", socket.error().message});
  const std::string query = wire::dns::build_query(static_cast<std::uint16_t>(::getpid()), *wanted, wire::dns::kA);
  pollfd waiting{.fd = socket->get(), .events = POLLIN, .revents = 0};
  char bytes[4096];
  // Datagrams may be lost: asked three times at most.
  for (int tries = 0; tries < 3; ++tries) {
    if (::send(socket->get(), query.data(), query.size(), 0) < 0 || ::poll(&waiting, 1, 1000) <= 0) continue;
    const auto size = ::recv(socket->get(), bytes, sizeof bytes, 0);
    const auto message = size > 0 ? wire::dns::parse_message({bytes, static_cast<std::size_t>(size)}) : std::nullopt;
    if (!message) continue;
    int found = 0;
    for (const auto& record : message->answers)
      if (record.type == wire::dns::kA) found += std::printf("%s\n", wire::dns::decode_value(record.type, record.data).c_str()) > 0;
    return found > 0 ? 0 : complain({"", "nothing is called " + name});
  }
  return complain({"", "the DNS server does not answer"});
}

int show_dns(const Target& target, const std::string& resolv_conf) {
  const auto server = ask_dns(target);
  if (!server) return complain({"", server.error().message});
  std::printf("answers at  %s:%lld\n", server->text("address").c_str(), static_cast<long long>((*server)["port"].as_int().value_or(0)));
  std::string upstream;
  for (const Json& one : (*server)["upstream"].as_array()) upstream += (upstream.empty() ? "" : ", ") + one.as_string();
  std::printf("forwards to %s\n", upstream.empty() ? "nobody: other names are refused" : upstream.c_str());
  std::printf("installed   %s\n", resolver_installed(resolv_conf) ? "yes: this machine's programs ask it" : "no: `sudo atoll dns install` makes this machine's programs ask it");
  return 0;
}

// --- trust ----------------------------------------------------------------------------------------------------------

struct TrustStore {
  const char* folder;
  std::vector<std::string> update;
};
const TrustStore kStores[] = {{"/usr/local/share/ca-certificates", {"update-ca-certificates"}},      // Debian, Ubuntu, Alpine
                              {"/etc/pki/ca-trust/source/anchors", {"update-ca-trust", "extract"}},  // Fedora, Red Hat
                              {"/etc/ca-certificates/trust-source/anchors", {"trust", "extract-compat"}}};  // Arch

void print_lines(const std::string& path) {
  std::printf(
      "\nPrograms that keep a store of their own:\n"
      "  curl       curl --cacert %1$s ...\n"
      "  Chrome     certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Atoll -i %1$s\n"
      "  Firefox    Settings, Certificates, Authorities, Import: %1$s\n"
      "  Node       export NODE_EXTRA_CA_CERTS=%1$s\n"
      "  Python     export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt\n"
      "  AWS tools  export AWS_CA_BUNDLE=%1$s\n"
      "  Java       keytool -importcert -noprompt -cacerts -storepass changeit -alias atoll -file %1$s\n",
      path.c_str());
}

Result<std::string, Failure> authority_pem(const Target& target, const std::string& data) {
  if (std::ifstream in(data + "/acm/authority.pem"); in) return std::string(std::istreambuf_iterator<char>(in), {});
  const auto reply = send(target, "GET", "/_atoll/authority.pem");
  if (!reply || reply->status != 200) return Err(Failure{"there is no authority in " + data + " yet, and nothing answers at port " + std::to_string(target.port) + ": start atoll first"});
  return reply->body;
}

struct TrustOptions {
  std::string data = ".atoll", store;
  bool remove = false, print = false;
};

int trust(const Target& target, const TrustOptions& options) {
  const TrustStore* store = nullptr;
  for (const TrustStore& one : kStores)
    if (!store && fs::is_directory(one.folder)) store = &one;
  const std::string folder = !options.store.empty() ? options.store : store ? store->folder : "";
  if (folder.empty()) return complain({"", "this system's certificate store is not known: add " + options.data + "/acm/authority.pem to it by hand"});
  const std::string path = folder + "/atoll-local-authority.crt";
  const auto update = [&] { return !options.store.empty() || run_program(store->update) == 0; };
  if (options.remove) {
    std::error_code error;
    if (!fs::remove(path, error)) return complain({"", error ? "remove " + path + ": " + error.message() + " (try sudo)" : "not installed: there is no " + path});
    if (!update()) return complain({"", store->update[0] + " failed"});
    std::printf("%s is gone from the system's store\n", path.c_str());
    return 0;
  }
  const auto pem = authority_pem(target, options.data);
  if (!pem) return complain({"", pem.error().message});
  if (options.print) {
    std::printf("%s", pem->c_str());
    return 0;
  }
  std::ofstream out(path, std::ios::trunc);
  out << *pem;
  out.close();
  if (!out) return complain({"", "cannot write " + path + ": try `sudo atoll trust --data " + fs::absolute(options.data).lexically_normal().string() + "`"});
  if (!update()) return complain({"", store->update[0] + " failed"});
  std::printf("the system trusts certificates that this Atoll signs: %s\n", path.c_str());
  print_lines(path);
  return 0;
}

}  // namespace

void add_name_commands(CLI::App& app, int& status) {
  static Target target;
  static std::string resolv_conf = "/etc/resolv.conf";
  CLI::App* dns = app.add_subcommand("dns", "Show the DNS server; make this machine's programs ask it, and undo that exactly.");
  dns->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  dns->add_option("--resolv-conf", resolv_conf, "the file to change")->capture_default_str();
  dns->require_subcommand(0, 1);
  dns->add_subcommand("install", "Point the resolver at Atoll; what no zone knows is still forwarded.")->fallthrough()->callback([&status] { status = install_dns(target, resolv_conf); });
  dns->add_subcommand("remove", "Bring back what was there.")->fallthrough()->callback([&status] { status = report(remove_resolver(resolv_conf)); });
  static std::string name;
  CLI::App* lookup = dns->add_subcommand("lookup", "Ask it for the addresses of a name.");
  lookup->fallthrough();
  lookup->add_option("name", name, "service1.example.com")->required();
  lookup->callback([&status] { status = look_up(target, name); });
  dns->callback([&status, dns] {
    if (dns->get_subcommands().empty()) status = show_dns(target, resolv_conf);
  });

  static TrustOptions options;
  CLI::App* trusted = app.add_subcommand("trust", "Add the local certificate authority to the system's store, and say how other programs take it.");
  trusted->add_option("--data", options.data, "data folder")->capture_default_str()->envname("ATOLL_DATA");
  trusted->add_option("--port", target.port, "where atoll listens, when the folder is not here")->capture_default_str()->envname("ATOLL_PORT");
  trusted->add_option("--store", options.store, "write to this folder instead, and update nothing");
  trusted->add_flag("--remove", options.remove, "take it away again");
  trusted->add_flag("--print", options.print, "only print the certificate");
  trusted->callback([&status] { status = trust(target, options); });
}

}  // namespace reef::cli
