#include "aws/sigv4.h"

#include <algorithm>
#include <map>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"

namespace reef::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::vector<std::pair<std::string, std::string>> decoded_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  if (query.empty()) return out;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    out.emplace_back(percent_decode(part.substr(0, equals)),
                     equals == std::string_view::npos ? std::string() : percent_decode(part.substr(equals + 1)));
  }
  return out;
}

const std::string* find(const std::vector<std::pair<std::string, std::string>>& query, std::string_view name) {
  for (const auto& [key, value] : query)
    if (key == name) return &value;
  return nullptr;
}

// "AKID/20261120/us-east-1/sqs/aws4_request"; an access key may hold slashes.
bool read_scope(std::string_view credential, SignatureClaim& claim) {
  auto parts = split(credential, '/');
  if (parts.size() < 5 || parts.back() != "aws4_request") return false;
  const std::size_t n = parts.size();
  claim.service = parts[n - 2];
  claim.region = parts[n - 3];
  claim.date = parts[n - 4];
  const auto tail = 1 + parts[n - 1].size() + 1 + parts[n - 2].size() + 1 + parts[n - 3].size() + 1 + parts[n - 4].size();
  claim.access_key = credential.substr(0, credential.size() - tail);
  return claim.date.size() == 8 && !claim.access_key.empty();
}

ClaimStatus read_header(const http::Request& request, std::string_view value, SignatureClaim& claim, std::string& why) {
  claim.form = SignatureClaim::Form::kHeader;
  value.remove_prefix(kAlgorithm.size());
  std::string_view credential, headers;
  for (std::string_view part : split(value, ',')) {
    part = trim(part);
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = part.substr(0, equals), text = part.substr(equals + 1);
    if (name == "Credential") credential = text;
    else if (name == "SignedHeaders") headers = text;
    else if (name == "Signature") claim.signature = text;
  }
  for (const auto& [text, name] : {std::pair{credential, "Credential"}, {headers, "SignedHeaders"},
                                   {std::string_view(claim.signature), "Signature"}})
    if (text.empty()) {
      why = "Authorization header requires '" + std::string(name) + "' parameter.";
      return ClaimStatus::kMalformed;
    }
  if (!read_scope(credential, claim)) {
    why = "Credential must have at least 5 slash-delimited elements ending in aws4_request.";
    return ClaimStatus::kMalformed;
  }
  for (const std::string_view name : split(headers, ';')) claim.signed_headers.emplace_back(name);
  claim.timestamp = request.header("x-amz-date");
  if (claim.timestamp.empty())
    if (const auto date = parse_http_date(request.header("date"))) claim.timestamp = format_basic(*date);
  claim.session_token = request.header("x-amz-security-token");
  return ClaimStatus::kFound;
}

std::string canonical_path(const SignatureClaim& claim, std::string_view path) {
  // S3 signs the path as it is sent, once encoded; the others encode the sent path again after normalising it.
  if (claim.service == "s3" || claim.service == "s3-outposts" || claim.service == "s3express")
    return percent_encode(percent_decode(path), true);
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
      continue;
    }
    kept.push_back(part);
  }
  std::string out;
  for (const std::string_view part : kept) out += "/" + percent_encode(part);
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_query(std::string_view query, std::string_view left_out) {
  auto parameters = decoded_query(query);
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : parameters)
    if (name != left_out) encoded.emplace_back(percent_encode(name), percent_encode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out += name + "=" + value;
  }
  return out;
}

// Trimmed, with runs of spaces as one.
void append_header_value(std::string& out, std::string_view value) {
  bool space = false;
  for (const char c : trim(value)) {
    if (c == ' ' && space) continue;
    space = c == ' ';
    out += c;
  }
}

std::string string_to_sign_v2(const SignatureClaim& claim, const http::Request& request) {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
  std::string out = request.method + "\n" + std::string(request.header("content-md5")) + "\n" +
                    std::string(request.header("content-type")) + "\n" + std::to_string(claim.expires_seconds) + "\n";
  std::map<std::string, std::string> amz;
  for (const auto& header : request.headers)
    if (header.name.starts_with("x-amz-")) amz[std::string(header.name)] = trim(header.value);
  const auto query = decoded_query(request.query);
  for (const auto& [name, value] : query)
    if (name == "x-amz-security-token") amz[name] = value;
  for (const auto& [name, value] : amz) out += name + ":" + value + "\n";
  out += request.path;
  static constexpr std::string_view kSubresources[] = {
      "acl", "cors", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
      "requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding",
      "response-content-language", "response-content-type", "response-expires", "tagging", "torrent", "uploadId",
      "uploads", "versionId", "versioning", "versions", "website"};
  std::map<std::string, std::string> sub;
  for (const auto& [name, value] : query)
    if (std::find(std::begin(kSubresources), std::end(kSubresources), name) != std::end(kSubresources)) sub[name] = value;
  char separator = '?';
  for (const auto& [name, value] : sub) {
    out += separator + name + (value.empty() ? "" : "=" + value);
    separator = '&';
  }
  return out;
}

}  // namespace

ClaimStatus read_signature(const http::Request& request, SignatureClaim& claim, std::string& why) {
  const std::string_view authorization = request.header("authorization");
  if (authorization.starts_with(kAlgorithm)) return read_header(request, authorization, claim, why);
  if (authorization.starts_with("AWS ")) {
    why = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
    return ClaimStatus::kMalformed;
  }
  if (request.query.find("X-Amz-Signature=") == std::string_view::npos &&
      request.query.find("Signature=") == std::string_view::npos)
    return ClaimStatus::kNone;
  const auto query = decoded_query(request.query);
  if (const std::string* signature = find(query, "X-Amz-Signature")) {
    claim.form = SignatureClaim::Form::kPresigned;
    claim.signature = *signature;
    const std::string* credential = find(query, "X-Amz-Credential");
    const std::string* headers = find(query, "X-Amz-SignedHeaders");
    const std::string* date = find(query, "X-Amz-Date");
    const std::string* expires = find(query, "X-Amz-Expires");
    if (!credential || !headers || !date || !read_scope(*credential, claim)) {
      why = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
      return ClaimStatus::kMalformed;
    }
    for (const std::string_view name : split(*headers, ';')) claim.signed_headers.emplace_back(name);
    claim.timestamp = *date;
    claim.expires_seconds = expires ? parse_int(*expires).value_or(-1) : 0;
    if (expires && (claim.expires_seconds < 0 || claim.expires_seconds > 604800)) {
      why = claim.expires_seconds < 0 ? "X-Amz-Expires should be a number"
                                      : "X-Amz-Expires must be less than a week (in seconds) that is, 604800";
      return ClaimStatus::kMalformed;
    }
    if (const std::string* token = find(query, "X-Amz-Security-Token")) claim.session_token = *token;
    return ClaimStatus::kFound;
  }
  const std::string* key = find(query, "AWSAccessKeyId");
  const std::string* signature = find(query, "Signature");
  const std::string* expires = find(query, "Expires");
  if (!key || !signature || !expires) return ClaimStatus::kNone;
  claim.form = SignatureClaim::Form::kPresignedV2;
  claim.access_key = *key;
  claim.signature = *signature;
  claim.expires_seconds = parse_int(*expires).value_or(0);
  claim.service = "s3";
  if (const std::string* token = find(query, "x-amz-security-token")) claim.session_token = *token;
  return ClaimStatus::kFound;
}

std::string canonical_request(const SignatureClaim& claim, const http::Request& request, std::string_view payload_hash) {
  std::string out = request.method;
  out += '\n';
  out += canonical_path(claim, request.path);
  out += '\n';
  out += canonical_query(request.query, claim.form == SignatureClaim::Form::kPresigned ? "X-Amz-Signature" : "");
  out += '\n';
  for (const std::string& name : claim.signed_headers) {
    out += name;
    out += ':';
    if (name == "host") {
      append_header_value(out, request.host);
    } else {
      bool first = true;
      for (const auto& header : request.headers)
        if (header.name == name) {
          if (!first) out += ',';
          first = false;
          append_header_value(out, header.value);
        }
    }
    out += '\n';
  }
  out += '\n';
  for (std::size_t i = 0; i < claim.signed_headers.size(); ++i) {
    if (i) out += ';';
    out += claim.signed_headers[i];
  }
  out += '\n';
  out += payload_hash;
  return out;
}

const std::string& signing_key(std::string_view secret, std::string_view date, std::string_view region,
                               std::string_view service) {
  constexpr std::size_t kCachedMax = 512;
  thread_local TextMap<std::string> cache;
  std::string id;
  id.reserve(secret.size() + region.size() + service.size() + 16);
  for (const std::string_view part : {secret, date, region, service}) {
    id += part;
    id += '\0';
  }
  if (const auto found = cache.find(id); found != cache.end()) return found->second;
  if (cache.size() >= kCachedMax) cache.clear();
  std::string key = hmac_sha256("AWS4" + std::string(secret), date);
  key = hmac_sha256(key, region);
  key = hmac_sha256(key, service);
  key = hmac_sha256(key, "aws4_request");
  return cache.emplace(std::move(id), std::move(key)).first->second;
}

std::string expected_signature(const SignatureClaim& claim, const http::Request& request, std::string_view payload_hash,
                               std::string_view secret) {
  if (claim.form == SignatureClaim::Form::kPresignedV2)
    return base64_encode(hmac_sha1(secret, string_to_sign_v2(claim, request)));
  const std::string to_sign = std::string(kAlgorithm) + "\n" + claim.timestamp + "\n" + claim.date + "/" + claim.region +
                              "/" + claim.service + "/aws4_request\n" +
                              sha256_hex(canonical_request(claim, request, payload_hash));
  return hex_encode(hmac_sha256(signing_key(secret, claim.date, claim.region, claim.service), to_sign));
}

std::string authorization_header(std::string_view access_key, std::string_view secret, std::string_view region,
                                 std::string_view service, std::string_view timestamp, const http::Request& request,
                                 std::string_view payload_hash) {
  SignatureClaim claim;
  claim.access_key = access_key;
  claim.date = timestamp.substr(0, 8);
  claim.region = region;
  claim.service = service;
  claim.timestamp = timestamp;
  for (const auto& header : request.headers) claim.signed_headers.emplace_back(header.name);
  std::sort(claim.signed_headers.begin(), claim.signed_headers.end());
  claim.signed_headers.erase(std::unique(claim.signed_headers.begin(), claim.signed_headers.end()), claim.signed_headers.end());
  std::string headers;
  for (const std::string& name : claim.signed_headers) headers += (headers.empty() ? "" : ";") + name;
  return std::string(kAlgorithm) + " Credential=" + claim.access_key + "/" + claim.date + "/" + claim.region + "/" +
         claim.service + "/aws4_request, SignedHeaders=" + headers +
         ", Signature=" + expected_signature(claim, request, payload_hash, secret);
}

}  // namespace reef::aws
