// Writes netlink messages with nested attributes.
#pragma once

#include <arpa/inet.h>
#include <linux/netlink.h>

#include <cstring>
#include <string>
#include <string_view>

namespace reef::sandbox {

class NetlinkWriter {
 public:
  explicit NetlinkWriter(std::string& out) : out_(out) {}

  // `header` is the family's fixed header after nlmsghdr.
  template <class Header>
  void begin(std::uint16_t type, std::uint16_t flags, const Header& header) {
    message_ = out_.size();
    nlmsghdr message{.nlmsg_len = 0, .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = ++sequence_, .nlmsg_pid = 0};
    append(&message, sizeof(message));
    append(&header, sizeof(header));
  }
  void end() { patch32(message_, out_.size() - message_); }

  void attribute(std::uint16_t type, std::string_view bytes) {
    const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + bytes.size()), type};
    append(&header, sizeof(header));
    append(bytes.data(), bytes.size());
  }
  void text(std::uint16_t type, const char* value) { attribute(type, {value, std::strlen(value) + 1}); }
  void be32(std::uint16_t type, std::uint32_t value) { raw32(type, htonl(value)); }
  void raw32(std::uint16_t type, std::uint32_t value) {
    attribute(type, {reinterpret_cast<const char*>(&value), sizeof(value)});
  }
  std::size_t open(std::uint16_t type) {
    const std::size_t at = out_.size();
    const nlattr header{0, static_cast<std::uint16_t>(type | NLA_F_NESTED)};
    append(&header, sizeof(header));
    return at;
  }
  void close(std::size_t at) {
    const auto size = static_cast<std::uint16_t>(out_.size() - at);
    std::memcpy(out_.data() + at, &size, sizeof(size));
  }
  std::uint32_t sequence() const { return sequence_; }

 private:
  void append(const void* bytes, std::size_t size) {
    out_.append(static_cast<const char*>(bytes), size);
    out_.resize((out_.size() + 3) & ~std::size_t{3});
  }
  void patch32(std::size_t at, std::size_t value) {
    const auto narrow = static_cast<std::uint32_t>(value);
    std::memcpy(out_.data() + at, &narrow, sizeof(narrow));
  }
  std::string& out_;
  std::size_t message_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace reef::sandbox
