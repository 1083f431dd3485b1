// What later additions to rules are turned into: regular expressions in conditions, transforms, token checks.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleTransform.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_JwtValidationActionConfig.html
#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/balancer/literal_ends.h"
#include "engine/edge/balancer/rewrite.h"
#include "engine/edge/balancer/token_check.h"
#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {
namespace {

constexpr std::size_t kExpressionMax = 128, kReplacementMax = 128, kUrlMax = 256, kClaimsMax = 10, kClaimValuesMax = 10, kClaimValueMax = 256;

aws::Error wrong(std::string message) { return aws::validation_error(std::move(message)); }

Reply<std::shared_ptr<const Pattern>> compile(const std::string& text, bool ignores_case, std::string_view where) {
  if (text.empty() || text.size() > kExpressionMax) return Err(wrong(fmt::format("The regex '{}' of a {} must be between 1 and {} characters long", text, where, kExpressionMax)));
  if (const auto fine = edge::check_expression_features(text); !fine) return Err(wrong(fmt::format("The regex '{}' of a {} is not valid: {} are not supported", text, where, fine.error().message)));
  auto pattern = Pattern::compile(text, {.whole = false, .ignores_case = ignores_case});
  if (!pattern) return Err(wrong(fmt::format("The regex '{}' of a {} is not valid: {}", text, where, pattern.error().message)));
  return std::make_shared<const Pattern>(*std::move(pattern));
}

// Groups that a replacement names must be captured.
Reply<void> check_replacement(const Pattern& pattern, const std::string& text) {
  if (text.empty() || text.size() > kReplacementMax) return Err(wrong(fmt::format("The replacement '{}' of a transform must be between 1 and {} characters long", text, kReplacementMax)));
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') continue;
    if (i + 1 < text.size() && text[i + 1] == '$') {
      ++i;
      continue;
    }
    const bool braced = i + 1 < text.size() && text[i + 1] == '{';
    const std::size_t from = i + 1 + (braced ? 1 : 0);
    std::size_t to = from;
    while (to < text.size() && text[to] >= '0' && text[to] <= '9') ++to;
    const auto group = parse_int<std::size_t>(std::string_view(text).substr(from, to - from));
    if (!group || *group > pattern.groups() || (braced && (to >= text.size() || text[to] != '}')))
      return Err(wrong(fmt::format("The replacement '{}' of a transform refers to a capture group that its regex does not have", text)));
  }
  return {};
}

Reply<edge::Rewrite> read_rewrite(const std::optional<std::vector<model::RewriteConfig>>& rewrites, bool is_host) {
  const std::string_view type = is_host ? "host-header-rewrite" : "url-rewrite";
  if (!rewrites || rewrites->size() != 1) return Err(wrong(fmt::format("A {} transform must have exactly one rewrite", type)));
  auto pattern = TRY(compile(rewrites->front().regex, is_host, fmt::format("{} transform", type)));
  TRY(check_replacement(*pattern, rewrites->front().replace));
  return edge::Rewrite{.pattern = std::move(pattern), .replacement = rewrites->front().replace};
}

}  // namespace

Reply<edge::RuleExpressions> read_expressions(const std::vector<std::string>& texts, std::string_view field) {
  edge::RuleExpressions out;
  for (const std::string& text : texts) out.push_back({.text = text, .pattern = TRY(compile(text, field == "host-header", fmt::format("{} condition", field)))});
  return out;
}

Reply<std::shared_ptr<const edge::Rewrites>> read_transforms(const std::optional<std::vector<model::RuleTransform>>& transforms) {
  if (!transforms || transforms->empty()) return std::shared_ptr<const edge::Rewrites>();
  auto out = std::make_shared<edge::Rewrites>();
  for (const model::RuleTransform& transform : *transforms) {
    const bool is_host = transform.type == "host-header-rewrite";
    auto& slot = is_host ? out->host : out->url;
    if (slot) return Err(wrong(fmt::format("A rule can have only one transform of type '{}'", transform.type)));
    if (is_host ? transform.url_rewrite_config.has_value() : transform.host_header_rewrite_config.has_value())
      return Err(wrong(fmt::format("The configuration of a transform must be that of its type '{}'", transform.type)));
    if (is_host) slot = TRY(read_rewrite(transform.host_header_rewrite_config ? transform.host_header_rewrite_config->rewrites : std::nullopt, true));
    else slot = TRY(read_rewrite(transform.url_rewrite_config ? transform.url_rewrite_config->rewrites : std::nullopt, false));
  }
  return std::shared_ptr<const edge::Rewrites>(std::move(out));
}

Reply<std::shared_ptr<const edge::TokenCheck>> read_token_check(const model::JwtValidationActionConfig& config) {
  auto out = std::make_shared<edge::TokenCheck>();
  out->jwks_endpoint = config.jwks_endpoint;
  out->issuer = config.issuer;
  if (out->jwks_endpoint.size() > kUrlMax || !edge::parse_provider_url(out->jwks_endpoint))
    return Err(wrong(fmt::format("The JwksEndpoint '{}' of a jwt-validation action must be an HTTPS URL of at most {} characters with a valid host, port and path", out->jwks_endpoint, kUrlMax)));
  if (out->issuer.empty() || out->issuer.size() > kUrlMax) return Err(wrong(fmt::format("The Issuer of a jwt-validation action must be between 1 and {} characters long", kUrlMax)));
  if (!config.additional_claims) return std::shared_ptr<const edge::TokenCheck>(std::move(out));
  if (config.additional_claims->size() > kClaimsMax) return Err(wrong(fmt::format("A jwt-validation action can have at most {} additional claims", kClaimsMax)));
  for (const auto& claim : *config.additional_claims) {
    constexpr std::string_view kOwn[] = {"exp", "iss", "nbf", "iat"};
    if (claim.name.empty() || std::find(std::begin(kOwn), std::end(kOwn), claim.name) != std::end(kOwn))
      return Err(wrong(fmt::format("The claim '{}' cannot be an additional claim of a jwt-validation action", claim.name)));
    if (claim.values.empty() || claim.values.size() > kClaimValuesMax) return Err(wrong(fmt::format("The claim '{}' must have between 1 and {} values", claim.name, kClaimValuesMax)));
    const bool is_words = claim.format == "space-separated-values", is_string = claim.format == "single-string";
    if (is_string && claim.values.size() != 1) return Err(wrong(fmt::format("The claim '{}' of format 'single-string' must have exactly one value", claim.name)));
    for (const std::string& value : claim.values)
      if (value.empty() || value.size() > kClaimValueMax || (is_words && value.find(' ') != std::string::npos))
        return Err(wrong(fmt::format("The value '{}' of claim '{}' is not valid", value, claim.name)));
    out->claims.push_back({.name = claim.name, .format = is_words ? edge::TokenCheck::Format::kWords : is_string ? edge::TokenCheck::Format::kString : edge::TokenCheck::Format::kArray, .values = claim.values});
  }
  return std::shared_ptr<const edge::TokenCheck>(std::move(out));
}

}  // namespace reef::service::elb
