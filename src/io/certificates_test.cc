#include "io/certificates.h"

#include <gtest/gtest.h>

#include "io/openssl.h"

namespace reef::io {
namespace {

const Time kNow = from_seconds(1'790'000'000);

LeafRequest request_for(std::vector<std::string> names, KeyKind key = KeyKind::kP256) {
  return {.names = std::move(names), .uris = {}, .key = key, .not_before = kNow, .not_after = kNow + std::chrono::days(395)};
}

TEST(Certificates, LeafNamesEverythingAskedFor) {
  const auto authority = make_authority("Test authority", kNow);
  ASSERT_TRUE(authority);
  const auto leaf = issue_leaf(*authority, request_for({"example.com", "*.example.com", "127.0.0.1"}));
  ASSERT_TRUE(leaf);
  const auto details = describe_certificate(leaf->certificate);
  ASSERT_TRUE(details);
  EXPECT_EQ(details->subject, "CN=example.com");
  EXPECT_EQ(details->issuer, "CN=Test authority,O=Atoll");
  EXPECT_EQ(details->dns_names, (std::vector<std::string>{"example.com", "*.example.com", "127.0.0.1"}));
  EXPECT_EQ(details->key_algorithm, "EC-prime256v1");
  EXPECT_EQ(details->signature_algorithm, "SHA256WITHECDSA");
  EXPECT_EQ(details->not_after, kNow + std::chrono::days(395));
  EXPECT_EQ(details->serial.size(), 47u);
  EXPECT_FALSE(details->is_authority);
  EXPECT_TRUE(describe_certificate(authority->certificate)->is_authority);
  EXPECT_TRUE(key_matches(leaf->certificate, leaf->key));
  EXPECT_FALSE(key_matches(leaf->certificate, authority->key));
  EXPECT_TRUE(chain_fits(leaf->certificate, authority->certificate));
}

// As Python 3.13 and other strict clients look at it.
bool is_strictly_valid(const std::string& leaf_pem, const std::string& authority_pem) {
  const auto read = [](const std::string& pem) {
    return openssl::Certificate(PEM_read_bio_X509(openssl::bio_of(pem).get(), nullptr, nullptr, nullptr));
  };
  const openssl::Certificate leaf = read(leaf_pem), authority = read(authority_pem);
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, authority.get());
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
  X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_set_time(context, 0, 1'790'000'060);
  const bool fits = X509_verify_cert(context) == 1;
  EXPECT_EQ(X509_STORE_CTX_get_error(context), X509_V_OK) << X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return fits;
}

TEST(Certificates, StrictClientsAcceptNamesTooLongForASubject) {
  const auto authority = make_authority("Test authority", kNow);
  const std::string long_name = "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com";
  for (const std::string& name : {std::string("example.com"), long_name}) EXPECT_TRUE(is_strictly_valid(issue_leaf(*authority, request_for({name}))->certificate, authority->certificate));
  LeafRequest identity = request_for({});
  identity.uris = {"spiffe://shop/orders"};
  EXPECT_TRUE(is_strictly_valid(issue_leaf(*authority, identity)->certificate, authority->certificate));
}

TEST(Certificates, RenewalKeepsTheKey) {
  const auto authority = make_authority("a", kNow);
  const auto leaf = issue_leaf(*authority, request_for({"a.example"}));
  const auto again = reissue_leaf(*authority, leaf->key, request_for({"a.example"}));
  ASSERT_TRUE(again);
  EXPECT_TRUE(key_matches(again->certificate, leaf->key));
  EXPECT_NE(again->certificate, leaf->certificate);
}

TEST(Certificates, ForeignChainDoesNotFit) {
  const auto one = make_authority("one", kNow), two = make_authority("two", kNow);
  const auto leaf = issue_leaf(*one, request_for({"a.example"}));
  EXPECT_FALSE(chain_fits(leaf->certificate, two->certificate));
  EXPECT_EQ(split_certificates(leaf->certificate + one->certificate)->size(), 2u);
}

TEST(Certificates, HostileTextIsRefused) {
  const auto authority = make_authority("a", kNow);
  EXPECT_FALSE(issue_leaf(*authority, request_for({"a.example,DNS:b.example"})));
  EXPECT_FALSE(issue_leaf(*authority, request_for({})));
  EXPECT_FALSE(describe_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_FALSE(split_certificates(""));
  EXPECT_FALSE(check_key("nonsense"));
  const auto encrypted = encrypt_key(authority->key, "secret");
  ASSERT_TRUE(encrypted);
  EXPECT_FALSE(check_key(*encrypted));
  EXPECT_TRUE(check_key(authority->key));
}

}  // namespace
}  // namespace reef::io
