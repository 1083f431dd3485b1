// Actions that sign users in, and the keys for what the balancers say of them.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aws/models/elasticloadbalancingv2.h"
#include "aws/service.h"
#include "base/guarded.h"
#include "engine/edge/balancer/sign_in.h"
#include "engine/edge/identity_clients.h"
#include "http/message.h"

namespace reef::service::elb {

// Made when the first rule needs them and kept: sessions outlive the daemon. Read from any loop by targets that verify.
class SignInKeyring {
 public:
  // What was kept, at the start.
  void load();
  aws::Reply<std::shared_ptr<const edge::SignInKeys>> keys();
  // The key as PEM text; empty when it is not that id's.
  std::string public_pem(std::string_view id) const;

  // https://public-keys.auth.elb.<region>.amazonaws.com/<id>, here also /_aws/elb/public-keys/<id>.
  // Texts that clients fetch once with the path that this gives: what trust stores hold. The newest few are kept.
  std::string offer(std::string text);

  static bool wants(const http::Request& request);
  http::Response serve(const http::Request& request) const;

 private:
  struct Keys {
    std::shared_ptr<const edge::SignInKeys> own;
    std::string public_pem;
    std::vector<std::pair<std::string, std::string>> offered;   // by secret
  };
  Guarded<Keys> keys_;
};

// `rule` names the rule for the way back.
aws::Reply<std::shared_ptr<const edge::SignIn>> read_sign_in(SignInKeyring& keyring, const aws::elasticloadbalancingv2::AuthenticateOidcActionConfig& config,
                                                            std::string_view balancer_arn, std::string_view rule);
// The same with a user pool of this machine. `endpoint` is where browsers reach it: "http://localhost:4566".
aws::Reply<std::shared_ptr<const edge::SignIn>> read_cognito_sign_in(SignInKeyring& keyring, const edge::IdentityClients& clients, const aws::elasticloadbalancingv2::AuthenticateCognitoActionConfig& config,
                                                                    std::string_view endpoint, std::string_view balancer_arn, std::string_view rule);
// Puts the secret of `before` where `after` says that the existing one is to be used.
void keep_client_secret(const std::vector<aws::elasticloadbalancingv2::Action>& before, std::vector<aws::elasticloadbalancingv2::Action>& after);

}  // namespace reef::service::elb
