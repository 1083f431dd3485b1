#include "cli/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/digest.h"
#include "wire/yaml.h"

namespace reef::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* kBucket = "atoll-deploy";

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

long append_bytes(archive*, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<long>(size);
}

// Properties that name local code, by resource type.
struct CodeProperty {
  std::string_view type, property;
  bool is_object;  // {"S3Bucket", "S3Key"} rather than an s3:// URI
};
constexpr CodeProperty kCodeProperties[] = {
    {"AWS::Serverless::Function", "CodeUri", false}, {"AWS::Serverless::LayerVersion", "ContentUri", false},
    {"AWS::Lambda::Function", "Code", true},         {"AWS::Lambda::LayerVersion", "Content", true},
};

// Properties that name other files, which are uploaded as they are.
constexpr CodeProperty kFileProperties[] = {
    {"AWS::Serverless::Api", "DefinitionUri", false},
    {"AWS::Serverless::HttpApi", "DefinitionUri", false},
};

using Progress = std::function<void(const std::string&)>;
constexpr int kNestedMax = 8;  // templates below templates: one that names itself would never end

// The key under which the bytes are in the bucket for code.
Result<std::string, std::string> upload_bytes(const Target& target, const std::string& bytes) {
  const std::string key = md5_hex(bytes);
  const auto head = send(target, "HEAD", std::string("/") + kBucket + "/" + key);
  if (!head) return Err(head.error().message);
  if (head->status == 200) return key;
  if (const auto made = send(target, "PUT", std::string("/") + kBucket); !made || (made->status >= 300 && made->status != 409))
    return Err(made ? "cannot make the bucket for code: " + made->body : made.error().message);
  const auto put = send(target, "PUT", std::string("/") + kBucket + "/" + key, bytes, "application/octet-stream");
  if (!put || put->status >= 300) return Err(put ? "cannot upload code: " + put->body : put.error().message);
  return key;
}

Result<std::string, std::string> upload(const Target& target, const std::string& path, const Progress& progress) {
  progress("packing " + path);
  return upload_bytes(target, TRY(zip_folder(path)));
}

Result<std::string, std::string> upload_file(const Target& target, const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return Err("there is no file " + path.string());
  return upload_bytes(target, read_file(path));
}

std::string s3_uri(const std::string& key) { return std::string("s3://") + kBucket + "/" + key; }
bool is_local(const std::string& place) { return !place.empty() && place.find("://") == std::string::npos; }

// Every {"Name": "AWS::Include", "Parameters": {"Location": <local file>}}, wherever it stands.
Result<void, std::string> upload_includes(const Target& target, const fs::path& base, wire::Json& node) {
  if (node.is_array()) {
    for (wire::Json& each : node.elements()) TRY(upload_includes(target, base, each));
    return {};
  }
  if (!node.is_object()) return {};
  if (wire::Json* parameters = node.text("Name") == "AWS::Include" ? node.find("Parameters") : nullptr; parameters && is_local(parameters->text("Location"))) {
    auto key = upload_file(target, base / parameters->text("Location"));
    if (!key) return Err("AWS::Include: " + key.error());
    parameters->set("Location", s3_uri(*key));
  }
  for (auto& [name, member] : node.members()) TRY(upload_includes(target, base, member));
  return {};
}

// CloudFormation's short forms as long ones: !Ref x, !GetAtt a.b, !Sub "...", and so on.
std::string expand_tag(std::string_view tag, wire::Json& value) {
  const std::string name(tag.substr(1));
  if (name == "Ref" || name == "Condition") {
    value = wire::Json::object({{name, std::move(value)}});
    return {};
  }
  if (name == "GetAtt" && value.is_string()) {
    const std::string text = value.as_string();
    const auto dot = text.find('.');
    if (dot == std::string::npos) return "!GetAtt takes Resource.Attribute";
    value = wire::Json::array({text.substr(0, dot), text.substr(dot + 1)});
  }
  value = wire::Json::object({{"Fn::" + name, std::move(value)}});
  return {};
}

}  // namespace

Result<std::string, std::string> zip_folder(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return Err("there is no " + path);
  std::vector<std::pair<std::string, fs::path>> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.emplace_back(fs::relative(entry.path(), path).generic_string(), entry.path());
  } else {
    files.emplace_back(fs::path(path).filename().string(), path);
  }
  if (files.empty()) return Err(path + " holds no files");
  std::sort(files.begin(), files.end());
  std::string out;
  archive* zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_set_bytes_in_last_block(zip, 1);
  if (archive_write_open2(zip, &out, nullptr, append_bytes, nullptr, nullptr) != ARCHIVE_OK) return Err(std::string("cannot write a zip archive"));
  bool good = true;
  for (const auto& [name, file] : files) {
    const std::string bytes = read_file(file);
    const bool executable = (fs::status(file).permissions() & fs::perms::owner_exec) != fs::perms::none;
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, executable ? 0755 : 0644);
    archive_entry_set_mtime(entry, 315532800, 0);  // 1980: the archive depends on contents alone
    good = good && archive_write_header(zip, entry) == ARCHIVE_OK &&
           archive_write_data(zip, bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size());
    archive_entry_free(entry);
  }
  good = archive_write_close(zip) == ARCHIVE_OK && good;
  archive_write_free(zip);
  if (!good) return Err("cannot pack " + path);
  return out;
}

namespace {

// As with the AWS tools, a function that names no code has that of the template's own folder.
std::string code_of(const CodeProperty& code, const wire::Json& properties, const wire::Json& globals) {
  if (const wire::Json* value = properties.find(code.property)) return value->is_string() ? value->as_string() : std::string();
  if (code.property == "CodeUri" && properties.contains("InlineCode")) return {};
  if (properties.text("PackageType") == "Image" || globals.text("PackageType") == "Image") return {};
  if (code.property != "CodeUri") return code.property == "Code" ? "." : "";
  return globals.contains("CodeUri") ? globals.text("CodeUri") : ".";
}

Result<wire::Json, std::string> package_at(const Target& target, const std::string& path, const Progress& progress, int depth);

Result<void, std::string> package_resource(const Target& target, const fs::path& base, const wire::Json& globals, wire::Json& resource, const Progress& progress, int depth) {
  const std::string type = resource.text("Type");
  wire::Json* const properties = resource.find("Properties");
  if (!properties || !properties->is_object()) return {};
  for (const CodeProperty& code : kCodeProperties) {
    if (type != code.type) continue;
    const std::string local = code_of(code, *properties, globals);
    if (!is_local(local)) continue;
    const std::string key = TRY(upload(target, (base / local).string(), progress));
    properties->set(code.property, code.is_object ? wire::Json::object({{"S3Bucket", kBucket}, {"S3Key", key}}) : wire::Json(s3_uri(key)));
  }
  for (const CodeProperty& file : kFileProperties)
    if (type == file.type && is_local(properties->text(file.property))) properties->set(file.property, s3_uri(TRY(upload_file(target, base / properties->text(file.property)))));
  if (type == "AWS::CloudFormation::Stack" && is_local(properties->text("TemplateURL"))) {
    const wire::Json inner = TRY(package_at(target, (base / properties->text("TemplateURL")).string(), progress, depth + 1));
    properties->set("TemplateURL", "https://s3." + target.region + ".amazonaws.com/" + kBucket + "/" + TRY(upload_bytes(target, inner.dump())));
  }
  return {};
}

Result<wire::Json, std::string> package_at(const Target& target, const std::string& path, const Progress& progress, int depth) {
  std::error_code error;
  if (depth > kNestedMax) return Err("templates are nested more than " + std::to_string(kNestedMax) + " deep at " + path + ": does one name itself?");
  if (!fs::is_regular_file(path, error)) return Err("there is no template at " + path);
  auto parsed = wire::parse_yaml(read_file(path), expand_tag);
  if (!parsed) return Err(path + ":" + std::to_string(parsed.error().line) + ": " + parsed.error().message);
  wire::Json document = *std::move(parsed);
  const fs::path base = fs::path(path).parent_path();
  TRY(upload_includes(target, base, document));
  wire::Json* const resources = document.find("Resources");
  if (!resources || !resources->is_object()) return document;
  for (auto& [name, resource] : resources->members()) {
    auto done = package_resource(target, base, document["Globals"]["Function"], resource, progress, depth);
    if (!done) return Err(name + ": " + done.error());
  }
  if (wire::Json* function = document.find("Globals") ? document.find("Globals")->find("Function") : nullptr) function->erase("CodeUri");
  return document;
}

}  // namespace

Result<wire::Json, std::string> package_template(const Target& target, const std::string& path, const std::function<void(const std::string&)>& progress) {
  return package_at(target, path, progress, 0);
}

}  // namespace reef::cli
