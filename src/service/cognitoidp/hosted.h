// What a user pool serves to browsers and verifiers: its keys on its issuer, and the pages and endpoints of its domain.
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-userpools-server-contract-reference.html
#pragma once

#include <memory>
#include <string>

#include "engine/edge/sites.h"

namespace reef::service::cognito {

struct Cognito;
struct Pool;

// /.well-known/jwks.json and /.well-known/openid-configuration. Any loop.
std::shared_ptr<const edge::Site> make_issuer_site(const Pool& pool, const std::string& domain);
// /login, /logout and /oauth2/*.
std::shared_ptr<const edge::Site> make_domain_site(Cognito& service, std::string domain);

}  // namespace reef::service::cognito
