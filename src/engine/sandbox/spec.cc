#include "engine/sandbox/spec.h"

#include "base/bytes.h"

namespace reef::sandbox {

const char* tier_name(Tier tier) {
  switch (tier) {
    case Tier::kRoot: return "T0 (root)";
    case Tier::kUserNamespaces: return "T1 (unprivileged user namespaces)";
    case Tier::kProcesses: return "T2 (plain processes)";
  }
  return "";
}

namespace {
void put_texts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.varint(texts.size());
  for (const std::string& text : texts) out.bytes(text);
}
std::vector<std::string> get_texts(ByteReader& in) {
  std::vector<std::string> texts;
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) texts.push_back(in.text());
  return texts;
}
}  // namespace

std::string encode(const Spec& spec) {
  std::string bytes;
  ByteWriter out(bytes);
  out.bytes(spec.id);
  put_texts(out, spec.argv);
  out.fixed<std::uint8_t>(spec.search_path);
  out.bytes(spec.image.folder);
  out.fixed(spec.image.written_bytes);
  out.fixed<std::uint8_t>(spec.image.read_only);
  put_texts(out, spec.image.hosts);
  out.varint(spec.scratches.size());
  for (const Scratch& scratch : spec.scratches) {
    out.bytes(scratch.target);
    out.fixed(scratch.bytes);
  }
  out.bytes(spec.join);
  put_texts(out, spec.env);
  out.bytes(spec.cwd);
  out.bytes(spec.hostname);
  out.varint(spec.binds.size());
  for (const Bind& bind : spec.binds) {
    out.bytes(bind.source);
    out.bytes(bind.target);
    out.fixed<std::uint8_t>(bind.read_only);
  }
  out.bytes(spec.later_root);
  put_texts(out, spec.later_targets);
  out.fixed(spec.network);
  out.bytes(spec.address);
  out.varint(spec.listen_ports.size());
  for (std::uint16_t port : spec.listen_ports) out.fixed(port);
  out.fixed(spec.host_port);
  out.fixed(spec.limits.memory_bytes);
  out.fixed(spec.limits.tmp_bytes);
  out.fixed(spec.limits.pids);
  out.fixed(spec.limits.open_files);
  out.fixed(spec.limits.cpu_milli);
  out.fixed(spec.uid);
  out.fixed(spec.gid);
  out.bytes(spec.user_name);
  return bytes;
}

Result<Spec, Failure> decode(std::string_view bytes) {
  ByteReader in(bytes);
  Spec spec;
  spec.id = in.text();
  spec.argv = get_texts(in);
  spec.search_path = in.fixed<std::uint8_t>() != 0;
  spec.image.folder = in.text();
  spec.image.written_bytes = in.fixed<std::uint64_t>();
  spec.image.read_only = in.fixed<std::uint8_t>() != 0;
  spec.image.hosts = get_texts(in);
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    Scratch scratch{in.text(), 0};
    scratch.bytes = in.fixed<std::uint64_t>();
    spec.scratches.push_back(std::move(scratch));
  }
  spec.join = in.text();
  spec.env = get_texts(in);
  spec.cwd = in.text();
  spec.hostname = in.text();
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    Bind bind{in.text(), in.text()};
    bind.read_only = in.fixed<std::uint8_t>() != 0;
    spec.binds.push_back(std::move(bind));
  }
  spec.later_root = in.text();
  spec.later_targets = get_texts(in);
  spec.network = in.fixed<Network>();
  spec.address = in.text();
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count)
    spec.listen_ports.push_back(in.fixed<std::uint16_t>());
  spec.host_port = in.fixed<std::uint16_t>();
  spec.limits.memory_bytes = in.fixed<std::uint64_t>();
  spec.limits.tmp_bytes = in.fixed<std::uint64_t>();
  spec.limits.pids = in.fixed<std::uint32_t>();
  spec.limits.open_files = in.fixed<std::uint32_t>();
  spec.limits.cpu_milli = in.fixed<std::uint32_t>();
  spec.uid = in.fixed<std::uint32_t>();
  spec.gid = in.fixed<std::uint32_t>();
  spec.user_name = in.text();
  if (!in.ok() || !in.at_end()) return Err(Failure{"malformed sandbox specification"});
  return spec;
}

}  // namespace reef::sandbox
