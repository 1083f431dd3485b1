#include "cli/resolver_setup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/programs.h"
#include "io/socket.h"

namespace reef::cli {
namespace {

namespace fs = std::filesystem;

// resolv.conf knows no ports: where the server is not on 53, connections to this address are redirected to it.
constexpr std::string_view kRedirected = "127.0.45.53";
constexpr std::string_view kDropIn = "/etc/systemd/resolved.conf.d/atoll.conf";
constexpr std::string_view kMadeFolder = "# The folder was made as well.\n";
constexpr std::string_view kMark = "# Written by `atoll dns install`; `atoll dns remove` brings back what was here.\n";

std::string backup_of(const std::string& path) { return path + ".before-atoll"; }

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<void, Failure> write_in_place(const std::string& path, const std::string& text) {
  const io::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return Err(io::last_error("write " + path));
  return {};
}

void copy_times(const std::string& from, const std::string& to) {
  struct stat info {};
  if (::stat(from.c_str(), &info) != 0) return;
  const timespec times[] = {info.st_atim, info.st_mtim};
  ::utimensat(AT_FDCWD, to.c_str(), times, 0);
  ::chmod(to.c_str(), info.st_mode & 07777);
}

// By what it says: a link to the list of resolved's own servers goes past it, and a plain file may name it.
bool uses_resolved(const std::string& path) {
  std::error_code error;
  return fs::exists("/run/systemd/resolve", error) && names_resolved(read_file(path));
}

bool restart_resolved() { return run_program({"systemctl", "restart", "systemd-resolved"}) == 0; }

void remove_drop_in() {
  std::error_code error;
  const bool made_folder = read_file(std::string(kDropIn)).find(kMadeFolder) != std::string::npos;
  fs::remove(kDropIn, error);
  if (made_folder) fs::remove(fs::path(kDropIn).parent_path(), error);  // when it is empty
}

Result<std::string, Failure> install_drop_in(const DnsServer& server) {
  std::error_code error;
  const bool made_folder = fs::create_directories(fs::path(kDropIn).parent_path(), error);
  TRY(write_in_place(std::string(kDropIn), resolved_drop_in(server, read_file("/run/systemd/resolve/resolv.conf"), made_folder)));
  if (restart_resolved()) return fmt::format("systemd-resolved asks {}:{} ({})", server.address, server.port, kDropIn);
  remove_drop_in();
  return Err(Failure{"systemctl restart systemd-resolved failed: nothing was changed"});
}

Result<void, Failure> redirect_port(const DnsServer& server) {
  if (server.address != "127.0.0.1") return Err(Failure{fmt::format("the DNS server listens on {}: only one on 127.0.0.1 can be reached through a redirection; start atoll with --dns-port 53", server.address)});
  run_program({"nft", "delete", "table", "ip", "atoll_dns"}, {}, true);
  const std::string rules = fmt::format(
      "table ip atoll_dns {{\n  chain output {{\n    type nat hook output priority -100;\n"
      "    ip daddr {0} udp dport 53 redirect to :{1}\n    ip daddr {0} tcp dport 53 redirect to :{1}\n  }}\n}}\n", kRedirected, server.port);
  const int status = run_program({"nft", "-f", "-"}, rules);
  if (status == 127) return Err(Failure{"nft is not installed (Debian: nftables): install it, or start atoll with --dns-port 53"});
  if (status != 0) return Err(Failure{"nft could not add the redirection: it needs root; or start atoll with --dns-port 53"});
  return {};
}

}  // namespace

bool names_resolved(const std::string& resolv_conf) {
  for (const std::string_view line : split(resolv_conf, '\n'))
    if (line.starts_with("nameserver ") && trim(line.substr(11)) == "127.0.0.53") return true;
  return false;
}

std::string resolved_drop_in(const DnsServer& server, const std::string& known, bool made_folder) {
  // An empty assignment forgets what files before this one say.
  std::string out = fmt::format("{}{}[Resolve]\nDNS=\nDNS={}:{}", kMark, made_folder ? kMadeFolder : "", server.address, server.port);
  for (const std::string_view line : split(known, '\n')) {
    if (!line.starts_with("nameserver ")) continue;
    const std::string_view address = trim(line.substr(11));
    if (!address.empty() && !address.starts_with("127.")) out += fmt::format(" {}", address);
  }
  return out + "\nDomains=~.\n";
}

std::string resume_resolver(const std::string& resolv_conf) {
  std::error_code error;
  if (!uses_resolved(resolv_conf) || !fs::exists(kDropIn, error)) return {};
  if (::geteuid() == 0 && restart_resolved()) return {};
  return "systemd-resolved may still ask others than atoll, as it was away: sudo systemctl restart systemd-resolved";
}

std::string resolv_conf_with(const std::string& address, const std::string& before) {
  return fmt::format("{}nameserver {}\n{}", kMark, address, before);
}

bool resolver_installed(const std::string& resolv_conf) {
  std::error_code error;
  return fs::exists(fs::symlink_status(backup_of(resolv_conf), error)) || (uses_resolved(resolv_conf) && fs::exists(kDropIn, error));
}

Result<std::string, Failure> install_resolver(const DnsServer& server, const std::string& resolv_conf) {
  if (resolver_installed(resolv_conf)) return Err(Failure{"already installed: `atoll dns remove` undoes it"});
  if (uses_resolved(resolv_conf)) return install_drop_in(server);
  const std::string backup = backup_of(resolv_conf), before = read_file(resolv_conf);
  // First what needs the most rights, so that a refusal leaves nothing half done.
  if (::access(resolv_conf.c_str(), W_OK) != 0) return Err(io::last_error("write " + resolv_conf + " (try sudo)"));
  const std::string address = server.port == 53 ? server.address : std::string(kRedirected);
  if (server.port != 53) TRY(redirect_port(server));
  std::error_code error;
  if (fs::is_symlink(resolv_conf, error)) {
    // The link itself moves aside, so that it comes back as it was.
    if (::rename(resolv_conf.c_str(), backup.c_str()) != 0) return Err(io::last_error("rename " + resolv_conf));
  } else {
    TRY(write_in_place(backup, before));
    copy_times(resolv_conf, backup);
  }
  TRY(write_in_place(resolv_conf, resolv_conf_with(address, before)));
  return fmt::format("{} names {} first{}; what was there is in {}", resolv_conf, address,
                     server.port == 53 ? "" : fmt::format(" (redirected to port {} by the nftables table atoll_dns)", server.port), backup);
}

Result<std::string, Failure> remove_resolver(const std::string& resolv_conf) {
  std::error_code error;
  if (uses_resolved(resolv_conf) && fs::exists(kDropIn, error)) {
    if (::access(std::string(kDropIn).c_str(), W_OK) != 0) return Err(io::last_error(fmt::format("remove {} (try sudo)", kDropIn)));
    remove_drop_in();
    if (!restart_resolved()) return Err(Failure{fmt::format("{} is gone, but systemctl restart systemd-resolved failed", kDropIn)});
    return "systemd-resolved no longer asks atoll";
  }
  const std::string backup = backup_of(resolv_conf);
  const auto kind = fs::symlink_status(backup, error).type();
  if (kind == fs::file_type::not_found) return Err(Failure{"not installed: there is no " + backup});
  if (kind == fs::file_type::symlink) {
    if (::rename(backup.c_str(), resolv_conf.c_str()) != 0) return Err(io::last_error("rename " + backup + " (try sudo)"));
  } else {
    // In place: the file may be mounted where it is.
    TRY(write_in_place(resolv_conf, read_file(backup)));
    copy_times(backup, resolv_conf);
    if (::unlink(backup.c_str()) != 0) return Err(io::last_error("remove " + backup));
  }
  run_program({"nft", "delete", "table", "ip", "atoll_dns"}, {}, true);
  return resolv_conf + " is as it was";
}

}  // namespace reef::cli
