// User pools: their clients, users, groups and tokens, on the control shard; engine/identity is what users are made of.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/models/cognitoidp.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "engine/edge/identity_clients.h"
#include "engine/edge/sites.h"
#include "engine/edge/web_tokens.h"
#include "engine/identity/directory.h"
#include "engine/identity/passwords.h"
#include "engine/identity/workers.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "engine/telemetry/logs.h"


namespace reef::service::cognito {

namespace model = aws::cognitoidp;
namespace errors = aws::cognitoidp::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;
using identity::User;
using TextPairs = std::map<std::string, std::string, std::less<>>;

using Client = model::UserPoolClientType;

struct Pool {
  model::UserPoolType value;
  std::map<std::string, Client, std::less<>> clients;
  std::map<std::string, model::GroupType, std::less<>> groups;
  std::map<std::string, model::ResourceServerType, std::less<>> servers;
  identity::Directory users;
  edge::TokenSigner signer;
  std::string public_pem, seal_key;
  bool totp_enabled = false;

  const std::string& id() const { return *value.id; }
  std::string region() const { return id().substr(0, id().find('_')); }
  std::string short_id() const { return id().substr(id().find('_') + 1); }   // as SRP names the pool
  std::string account() const;
  // "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12"
  std::string issuer() const;
  bool is_username_attribute(std::string_view attribute) const;
};

// A user who signs in, by names rather than by address: handlers suspend, and anything may change meanwhile.
struct Who {
  std::string pool, client, user;   // the user's name
};

struct Cognito {
  explicit Cognito(Parts& parts);
  void start();
  void reset();

  // --- lookups, with AWS's errors ---
  Reply<Pool*> pool(std::string_view id);
  // Of an operation that names the account's own.
  Reply<Pool*> pool(const Call& call, std::string_view id);
  struct ClientOf {
    Pool* pool;
    Client* client;
  };
  Reply<ClientOf> client(std::string_view client_id);
  Reply<ClientOf> client(std::string_view pool_id, std::string_view client_id);
  Reply<User*> user(Pool& pool, std::string_view name);
  // The user whose access token it is.
  struct Bearer {
    Pool* pool;
    User* user;
    wire::Json claims;
  };
  Reply<Bearer> bearer(std::string_view access_token, Time now, std::string_view scope = "aws.cognito.signin.user.admin");

  // --- durable state; `co_await committed()` after it ---
  void save(const Pool& pool);
  void save(const Pool& pool, const Client& client);
  void save(const Pool& pool, const model::GroupType& group);
  void save(const Pool& pool, const model::ResourceServerType& server);
  void save(const Pool& pool, User& user);     // indexes it, too
  void save_domain(const std::string& domain, const std::string& pool_id);
  void erase(const std::string& kind, const std::string& id);
  auto committed() { return store::Shard::control().committed(); }
  // What is served on the pool's issuer and its domain.
  void publish(const Pool& pool);
  void publish_domain(const std::string& domain);
  void withdraw(const Pool& pool);

  aws::Caller& caller;
  edge::Sites& sites;
  edge::IdentityClients& identity_clients;
  telemetry::Logs& logs;
  identity::Workers workers;
  std::map<std::string, std::unique_ptr<Pool>, std::less<>> pools;
  std::map<std::string, std::string, std::less<>> client_pools;   // client id -> pool id
  std::map<std::string, std::string, std::less<>> domains;        // domain -> pool id

  // Codes of the hosted pages on their way back to a client; forgotten after five minutes, and when the daemon ends.
  struct Grant {
    Who who;
    std::string redirect_uri, scope, nonce, challenge, challenge_method;
    Time signed_in{}, expires{};
  };
  std::map<std::string, Grant, std::less<>> grants;
};

std::string make_pool_id(std::string_view region);
identity::PasswordPolicy policy_of(const Pool& pool);
identity::DirectoryRules rules_of(const model::UserPoolType& value);

// --- users as the API shows them ---
std::vector<model::AttributeType> shown_attributes(const User& user);
model::UserType shown(const User& user);
// The attributes of a request; those that the pool does not have, cannot change or that are malformed are refused. `old`
// is the user before, if there is one.
Reply<TextPairs> read_attributes(const Pool& pool, const std::optional<std::vector<model::AttributeType>>& attributes, const User* old, const Client* client);
Reply<void> check_required(const Pool& pool, const TextPairs& attributes);
wire::Json attributes_json(const User& user);

// A user of that sign-in name with a subject of its own, not put into the directory: the name itself may become an attribute.
Reply<User> new_user(const Pool& pool, const std::string& sign_in_name, TextPairs attributes, Time now);
// What stands against putting it: another of that name, or of an alias.
Reply<void> check_free(Pool& pool, const User& user, bool by_admin);

// --- codes and messages ---
// A new code of six digits for the purpose; it is put into the log group /atoll/cognito/<pool id>, where its user finds it.
Task<Reply<model::CodeDeliveryDetailsType>> send_code(Cognito& service, Who who, std::string purpose, std::string attribute, std::string trigger, TextPairs metadata, Time now);
// Which attribute gets codes: a verified or automatically verified email address before a phone number; "" for neither.
std::string code_attribute(const Pool& pool, const User& user, bool verified_only);
void deliver(Cognito& service, const Pool& pool, const User& user, std::string_view medium, std::string_view to, const std::string& subject, const std::string& text, Time now);
aws::Error code_error(identity::CodeFault fault);

// --- functions that a pool calls ---
// The `response` of the function; an empty object when the pool has none for it.
struct Trigger {
  std::string_view name;      // "PreSignUp"
  std::string_view source;    // "PreSignUp_SignUp"
};
Task<Reply<wire::Json>> invoke_trigger(Cognito& service, Who who, Trigger trigger, wire::Json request, wire::Json response);
bool has_trigger(const Pool& pool, std::string_view name);

// --- tokens ---
struct SignedIn {
  std::string scope = "aws.cognito.signin.user.admin", nonce, origin;   // `origin`: of the sign-in; made when empty
  Time at{};
  bool with_refresh = true, is_hosted = false;
  std::string trigger = "TokenGeneration_Authentication";
};
// Names a sign-in and tells when it was.
std::string make_origin(Time now);
Time origin_time(std::string_view origin);
Task<Reply<model::AuthenticationResultType>> make_tokens(Cognito& service, Who who, SignedIn how, TextPairs metadata, Time now);
struct RefreshToken {
  Who who;
  SignedIn how;
};
Reply<RefreshToken> read_refresh_token(Cognito& service, Pool& pool, std::string_view token, std::string_view client_id, Time now);
Duration lifetime(const Client& client, std::string_view kind);   // "AccessToken", "IdToken" or "RefreshToken"
// Makes the tokens of one sign-in void.
Reply<void> revoke(Cognito& service, Pool& pool, std::string_view token, std::string_view client_id, Time now);
// For clients that have no user: a token for scopes of resource servers.
Reply<std::string> make_client_token(Pool& pool, const Client& client, const std::string& scope, Time now);

// --- sign-in ---
Reply<void> check_secret_hash(const Client& client, std::string_view user, const std::optional<std::string>& hash);
aws::Error no_such_user(const Client& client);
// The user, once the password is right and nothing else is against it.
Task<Reply<Who>> check_password(Cognito& service, std::string pool_id, std::string client_id, std::string name, std::string password, Time now);
Task<Reply<void>> set_password(Cognito& service, Who who, std::string password, bool permanent, Time now);

}  // namespace reef::service::cognito
