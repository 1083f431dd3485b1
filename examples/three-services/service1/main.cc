// A small service of items in a DynamoDB table, as it runs on AWS: GET /items/{id}, PUT /items/{id}, GET /health.
// Configured by TABLE, PORT and VERSION; credentials and region as ECS gives them, AWS_ENDPOINT_URL when it is set.
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>

#include "http.h"
#include "sigv4.h"

namespace {

using service1::Message;

volatile bool stopping = false;

std::string variable(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

struct Address {
  std::string host, authority;
  int port = 80;
};
Address parse_url(std::string url) {
  if (url.starts_with("http://")) url.erase(0, 7);
  url = url.substr(0, url.find('/'));
  const auto colon = url.rfind(':');
  if (colon == std::string::npos) return {url, url, 80};
  return {url.substr(0, colon), url, std::atoi(url.c_str() + colon + 1)};
}

// A string member of flat JSON; enough for what the credentials endpoint and this service's own items hold.
std::string member(const std::string& json, const std::string& name) {
  auto at = json.find("\"" + name + "\"");
  if (at == std::string::npos) return {};
  at = json.find('"', json.find(':', at + name.size() + 2));
  std::string out;
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\' && at + 1 < json.size()) {
      ++at;
      out += json[at] == 'n' ? '\n' : json[at] == 't' ? '\t' : json[at] == 'r' ? '\r' : json[at];
    } else {
      out += json[at];
    }
  }
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\') (out += '\\') += static_cast<char>(c);
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (c < 0x20) out += ' ';
    else out += static_cast<char>(c);
  }
  return out + "\"";
}

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
service1::Credentials credentials() {
  static std::mutex mutex;
  static service1::Credentials known;
  static std::time_t fetched = 0;
  const std::lock_guard lock(mutex);
  if (const std::string key = variable("AWS_ACCESS_KEY_ID"); !key.empty()) return {key, variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
  if (!known.access_key.empty() && std::time(nullptr) - fetched < 600) return known;
  std::string url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (const std::string path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); url.empty() && !path.empty()) url = "http://169.254.170.2" + path;
  if (url.empty()) return {};
  const Address address = parse_url(url);
  const auto path = url.find('/', 7);
  const auto answer = service1::request(address.host, address.port, {.method = "GET", .target = url.substr(path), .headers = {{"host", address.authority}}});
  if (!answer || answer->status != 200) return known;
  known = {member(answer->body, "AccessKeyId"), member(answer->body, "SecretAccessKey"), member(answer->body, "Token")};
  fetched = std::time(nullptr);
  return known;
}

std::optional<Message> dynamodb(const std::string& operation, const std::string& body) {
  const std::string region = variable("AWS_REGION", "us-east-1");
  const Address address = parse_url(variable("AWS_ENDPOINT_URL", ("http://dynamodb." + region + ".amazonaws.com").c_str()));
  Message message{.method = "POST", .target = "/", .body = body};
  for (const auto& [name, value] : service1::sign(credentials(), region, "dynamodb", address.authority,
                                                  {{"content-type", "application/x-amz-json-1.0"}, {"x-amz-target", "DynamoDB_20120810." + operation}}, body, std::time(nullptr)))
    message.headers[name] = value;
  return service1::request(address.host, address.port, message);
}

Message reply(int status, std::string body) { return {.status = status, .headers = {{"content-type", "application/json"}, {"x-version", variable("VERSION", "1")}}, .body = std::move(body)}; }

Message items(const Message& message, const std::string& id) {
  const std::string table = quoted(variable("TABLE", "items"));
  if (message.method == "PUT") {
    const auto out = dynamodb("PutItem", "{\"TableName\":" + table + ",\"Item\":{\"id\":{\"S\":" + quoted(id) + "},\"body\":{\"S\":" + quoted(message.body) + "}}}");
    if (!out || out->status != 200) return reply(502, out ? out->body : "{\"message\":\"no answer from DynamoDB\"}");
    return reply(200, "{\"id\":" + quoted(id) + "}");
  }
  if (message.method != "GET") return reply(405, "{\"message\":\"GET and PUT only\"}");
  const auto out = dynamodb("GetItem", "{\"TableName\":" + table + ",\"ConsistentRead\":true,\"Key\":{\"id\":{\"S\":" + quoted(id) + "}}}");
  if (!out || out->status != 200) return reply(502, out ? out->body : "{\"message\":\"no answer from DynamoDB\"}");
  if (out->body.find("\"Item\"") == std::string::npos) return reply(404, "{\"message\":\"there is no such item\"}");
  const auto at = out->body.find("\"body\"");
  return reply(200, "{\"id\":" + quoted(id) + ",\"body\":" + quoted(at == std::string::npos ? "" : member(out->body.substr(at), "S")) + "}");
}

Message handle(const Message& message) {
  const std::string path = message.target.substr(0, message.target.find('?'));
  if (path == "/health") return variable("UNHEALTHY").empty() ? reply(200, "{\"status\":\"ok\"}") : reply(503, "{\"status\":\"unhealthy\"}");
  if (path == "/version") return reply(200, "{\"version\":" + quoted(variable("VERSION", "1")) + ",\"host\":" + quoted(variable("HOSTNAME")) + "}");
  if (path.starts_with("/items/") && path.size() > 7) return items(message, path.substr(7));
  return reply(404, "{\"message\":\"not found\"}");
}

}  // namespace

// As a health check calls it: `service1 --health`.
int check_health() {
  const auto answer = service1::request("127.0.0.1", std::atoi(variable("PORT", "8080").c_str()), {.method = "GET", .target = "/health", .headers = {{"host", "localhost"}, {"connection", "close"}}});
  return answer && answer->status == 200 ? 0 : 1;
}

int main(int count, char** arguments) {
  if (count > 1 && std::string(arguments[1]) == "--health") return check_health();
  if (const std::string code = variable("EXIT_AT_ONCE"); !code.empty()) return std::atoi(code.c_str());
  for (const int number : {SIGTERM, SIGINT}) ::signal(number, [](int) { stopping = true; });
  return service1::serve(std::atoi(variable("PORT", "8080").c_str()), handle, stopping);
}
