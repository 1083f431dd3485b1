#include "engine/edge/balancer/client_identity.h"

#include <gtest/gtest.h>

namespace reef::edge {
namespace {

const io::PeerCertificate kShown{.pem = "-----BEGIN C-----\na+/=\n", .serial = "03A5B1", .issuer = "CN=ca", .subject = "CN=me,O=us",
                                 .not_before = "2023-09-21T01:50:17Z", .not_after = "2024-09-20T01:50:17Z"};

TEST(ClientIdentity, TellsAVerifiedCertificateByItsParts) {
  EXPECT_EQ(make_certificate_lines(kShown, ClientCertificates::kVerified, {}),
            "X-Amzn-Mtls-Clientcert-Serial-Number: 03A5B1\r\nX-Amzn-Mtls-Clientcert-Issuer: CN=ca\r\n"
            "X-Amzn-Mtls-Clientcert-Subject: CN=me,O=us\r\n"
            "X-Amzn-Mtls-Clientcert-Validity: NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z\r\n"
            "X-Amzn-Mtls-Clientcert-Leaf: -----BEGIN%20C-----%0Aa+/=%0A\r\n");
}

TEST(ClientIdentity, PassesACertificateOnUnderAnotherName) {
  IdentityNames names;
  names.certificate = "X-Cert";
  EXPECT_EQ(make_certificate_lines(kShown, ClientCertificates::kPassedOn, names), "X-Cert: -----BEGIN%20C-----%0Aa+/=%0A\r\n");
  EXPECT_EQ(make_certificate_lines(kShown, ClientCertificates::kNone, names), "");
}

}  // namespace
}  // namespace reef::edge
