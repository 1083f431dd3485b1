#include "gateway/identify.h"

#include "base/encoding.h"

namespace reef::gateway {
namespace {

bool supports(const aws::ServiceModel& model, aws::Protocol protocol) {
  for (std::uint32_t i = 0; i < model.protocol_count; ++i)
    if (model.protocols[i] == protocol) return true;
  return false;
}

void take_operation(Identified& out, std::string_view name) {
  out.operation_name = name;
  const auto found = out.service->operations.find(name);
  if (found == out.service->operations.end()) return;
  out.operation = found->second.model;
  out.served = found->second.served;
}

std::optional<Identified> by_cbor_path(Registry& registry, const http::Request& request) {
  // "/service/<shape id>/operation/<operation>"
  const auto parts = split(request.path, '/');
  if (parts.size() != 5 || parts[1] != "service" || parts[3] != "operation") return std::nullopt;
  for (const auto& entry : registry.all()) {
    if (!entry->model->shape_id || parts[2] != entry->model->shape_id) continue;
    Identified out;
    out.service = entry.get();
    out.protocol = aws::Protocol::kRpcV2Cbor;
    take_operation(out, parts[4]);
    return out;
  }
  return std::nullopt;
}

std::optional<Identified> by_target(Registry& registry, const http::Request& request) {
  const std::string_view target = request.header("x-amz-target");
  const auto dot = target.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  ServiceEntry* entry = registry.by_target_prefix(target.substr(0, dot));
  if (!entry) return std::nullopt;
  Identified out;
  out.service = entry;
  const bool is_11 = request.header("content-type").find("json-1.1") != std::string_view::npos;
  out.protocol = is_11 && supports(*entry->model, aws::Protocol::kJson11) ? aws::Protocol::kJson11
                 : supports(*entry->model, aws::Protocol::kJson10)         ? aws::Protocol::kJson10
                                                                            : aws::Protocol::kJson11;
  take_operation(out, target.substr(dot + 1));
  return out;
}

std::string form_value(std::string_view form, std::string_view name) {
  for (const std::string_view part : split(form, '&'))
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=')
      return percent_decode(part.substr(name.size() + 1), true);
  return {};
}

std::optional<Identified> by_form(Registry& registry, const http::Request& request, std::string_view body) {
  const std::string_view form = body.empty() ? request.query : body;
  if (form.find("Action=") == std::string_view::npos) return std::nullopt;
  const std::string action = form_value(form, "Action"), version = form_value(form, "Version");
  if (action.empty()) return std::nullopt;
  ServiceEntry* entry = registry.by_query(version, action);
  if (!entry) return std::nullopt;
  Identified out;
  out.service = entry;
  out.protocol = supports(*entry->model, aws::Protocol::kQuery) ? aws::Protocol::kQuery : aws::Protocol::kEc2Query;
  take_operation(out, action);
  return out;
}

bool is_account(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// A queue's own URL is an endpoint too: "/<account>/<queue>" or "/queue/<region>/<account>/<queue>".
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
std::optional<Identified> by_queue_url(Registry& registry, const http::Request& request, std::string_view body) {
  const auto parts = split(request.path, '/');
  const bool has_region = parts.size() == 5 && parts[1] == "queue";
  if ((parts.size() != 3 && !has_region) || !is_account(parts[parts.size() - 2]) || parts.back().empty()) return std::nullopt;
  ServiceEntry* sqs = registry.by_name("sqs");
  if (!sqs) return std::nullopt;
  Identified out;
  out.service = sqs;
  out.protocol = aws::Protocol::kQuery;
  const std::string_view form = body.empty() ? request.query : body;
  const std::string action = form_value(form, "Action");
  // These are not about a queue.
  if (action == "CreateQueue" || action == "ListQueues") out.operation_name = action;
  else take_operation(out, action);
  if (form_value(form, "QueueUrl").empty())
    out.form = std::string(form) + "&QueueUrl=" + percent_encode((request.is_tls ? "https://" : "http://") + std::string(request.host) + std::string(request.path));
  return out;
}

std::optional<Identified> by_rest(ServiceEntry& entry, const http::Request& request) {
  if (!entry.router) return std::nullopt;
  auto match = entry.router->match(request);
  if (!match) return std::nullopt;
  Identified out;
  out.service = &entry;
  out.protocol = supports(*entry.model, aws::Protocol::kRestXml) ? aws::Protocol::kRestXml : aws::Protocol::kRestJson;
  out.labels = std::move(match->labels);
  take_operation(out, match->operation->name);
  return out;
}

}  // namespace

bool needs_form(const http::Request& request) {
  return request.method == "POST" &&
         request.header("content-type").find("application/x-www-form-urlencoded") != std::string_view::npos;
}

bool is_foreign_page(const http::Request& request) {
  std::string_view origin = request.header("origin");
  if (origin.empty()) return false;
  if (const auto scheme = origin.find("://"); scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  else return true;  // "null": a sandboxed frame or a file
  std::string_view host = origin.substr(0, origin.find_first_of(":/"));
  if (origin.starts_with('[')) host = origin.substr(0, origin.find(']') + 1);
  return !(host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]" ||
           host.ends_with(".localhost.localstack.cloud"));
}

std::string_view bucket_of_host(std::string_view host) {
  host = host.substr(0, host.find(':'));
  // "<bucket>.s3.<anything>" or "<bucket>.s3-<region>.<anything>"; a bucket may hold dots.
  for (const std::string_view mark : {".s3.", ".s3-"}) {
    const auto at = host.find(mark);
    if (at != std::string_view::npos && at > 0) return host.substr(0, at);
  }
  // "<bucket>.localhost": what SDKs make of http://localhost:4566 in virtual-host style.
  if (host.ends_with(".localhost")) {
    const std::string_view bucket = host.substr(0, host.size() - std::string_view(".localhost").size());
    if (bucket != "s3" && !bucket.starts_with("s3.")) return bucket;
  }
  return {};
}

std::optional<Identified> identify(Registry& registry, http::Request& request, const aws::SignatureClaim* claim,
                                   std::string_view body, std::string& path_storage) {
  if (request.has_header("smithy-protocol"))
    if (auto found = by_cbor_path(registry, request)) return found;
  if (request.has_header("x-amz-target"))
    if (auto found = by_target(registry, request)) return found;
  const bool other_service = claim && claim->service != "s3";
  const bool asks_in_query = request.method == "GET" || (request.method == "POST" && request.query.find("Action=") != std::string_view::npos);
  if (needs_form(request) || (asks_in_query && (!claim || claim->service == "sqs")))
    if (auto found = by_queue_url(registry, request, body)) return found;
  if (needs_form(request) || other_service || !claim)
    if (auto found = by_form(registry, request, body)) return found;
  if (other_service) {
    for (ServiceEntry* entry : registry.by_signing_name(claim->service))
      if (auto found = by_rest(*entry, request)) return found;
    const auto& candidates = registry.by_signing_name(claim->service);
    if (candidates.empty()) return std::nullopt;
    Identified out;  // the service is known, the operation is not
    out.service = candidates.front();
    out.protocol = out.service->model->protocols[0];
    return out;
  }
  ServiceEntry* s3 = registry.by_name("s3");
  const std::string_view bucket = bucket_of_host(request.host);
  if (!bucket.empty() && s3) {
    path_storage = "/" + std::string(bucket) + (request.path == "/" ? std::string() : std::string(request.path));
    request.path = path_storage;
    return by_rest(*s3, request);
  }
  if (!claim) {
    // Unsigned requests with a path of their own: Lambda, API Gateway and the like are recognisable by it.
    for (const auto& entry : registry.all())
      if (entry.get() != s3 && entry->router)
        if (auto found = by_rest(*entry, request); found && found->operation && request.path.starts_with("/20")) return found;
  }
  return s3 ? by_rest(*s3, request) : std::nullopt;
}

}  // namespace reef::gateway
