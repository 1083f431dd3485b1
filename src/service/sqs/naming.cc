#include "service/sqs/naming.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"

namespace reef::service::sqs {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// The region in "sqs.eu-west-1.localhost..." or "eu-west-1.queue.localhost...".
std::string_view region_of_host(std::string_view host) {
  const auto labels = split(host.substr(0, host.find(':')), '.');
  if (labels.size() > 2 && labels[0] == "sqs" && labels[1].find('-') != std::string_view::npos) return labels[1];
  if (labels.size() > 2 && labels[1] == "queue") return labels[0];
  return {};
}

constexpr std::string_view kPlainRegion = "us-east-1";

}  // namespace

std::string QueueName::url(const aws::Call& call) const {
  const auto scheme = call.endpoint.find("://");
  const std::string_view host = scheme == std::string::npos ? std::string_view() : std::string_view(call.endpoint).substr(scheme + 3);
  const std::string_view named = region_of_host(host);
  if (named.empty() ? region == kPlainRegion : named == region) return call.endpoint + "/" + account + "/" + name;
  return call.endpoint + "/queue/" + region + "/" + account + "/" + name;
}

aws::Reply<QueueName> parse_url(std::string_view url, const aws::Call& call) {
  if (url.empty()) return Err(missing_parameter("QueueUrl"));
  QueueName out{.account = call.account, .region = call.region, .name = {}};
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    if (const std::string_view region = region_of_host(url.substr(0, url.find('/'))); !region.empty()) out.region = region;
    const auto slash = url.find('/');
    url = slash == std::string_view::npos ? std::string_view{} : url.substr(slash + 1);
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  const auto parts = split(url, '/');
  out.name = parts.back();
  if (parts.size() >= 2 && parts[parts.size() - 2].size() == 12) out.account = parts[parts.size() - 2];
  // "/queue/<region>/<account>/<name>", the path form with a region.
  if (parts.size() >= 4 && parts[parts.size() - 4] == "queue") out.region = parts[parts.size() - 3];
  if (out.name.empty()) return Err(no_such_queue());
  return out;
}

std::optional<QueueName> parse_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "sqs" || parts[5].empty()) return std::nullopt;
  return QueueName{.account = std::string(parts[4]), .region = std::string(parts[3]), .name = std::string(parts[5])};
}

QueueName parse_key(std::string_view key) {
  const auto parts = split(key, '/');
  if (parts.size() != 3) return {};
  return {.account = std::string(parts[0]), .region = std::string(parts[1]), .name = std::string(parts[2])};
}

bool is_fifo_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

aws::Reply<void> check_name(std::string_view name, bool is_fifo) {
  std::string_view stem = name;
  const bool has_suffix = stem.ends_with(".fifo");
  if (has_suffix && is_fifo) stem.remove_suffix(5);
  const bool good = !stem.empty() && name.size() <= kQueueNameMax && std::all_of(stem.begin(), stem.end(), is_name_char);
  if (is_fifo && (!has_suffix || !good))
    return Err(invalid_parameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must "
                                 "end with .fifo suffix and be 1 to 80 in length."));
  if (!good) return Err(invalid_parameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"));
  return {};
}

std::string encode_handle(const queue::Handle& handle, std::string_view queue_key) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(handle.slot);
  out.fixed(handle.lease_number);
  out.fixed(handle.sequence);
  out.fixed(crc32c(queue_key, crc32c(bytes)));
  return "AQEB" + base64_encode(bytes);
}

aws::Reply<queue::Handle> decode_handle(std::string_view text, std::string_view queue_key) {
  if (!text.starts_with("AQEB")) return Err(bad_handle(text));
  const auto bytes = base64_decode(text.substr(4));
  if (!bytes || bytes->size() != 20) return Err(bad_handle(text));
  ByteReader in(*bytes);
  queue::Handle handle;
  handle.slot = in.fixed<std::uint32_t>();
  handle.lease_number = in.fixed<std::uint32_t>();
  handle.sequence = in.fixed<std::uint64_t>();
  if (in.fixed<std::uint32_t>() != crc32c(queue_key, crc32c(std::string_view(*bytes).substr(0, 16)))) return Err(bad_handle(text));
  return handle;
}

}  // namespace reef::service::sqs
