#include <cstddef>

#include "service/cloudformation/sam/transform.h"
#include "service/cloudformation/template/evaluate.h"

namespace {

using namespace reef::cloudformation;

void evaluate_all(const Json& document) {
  Scope scope;
  scope.account = "000000000000";
  scope.region = "us-east-1";
  scope.stack_name = "s";
  scope.ref = [](std::string_view name) { return std::optional<Json>(Json(std::string(name))); };
  scope.attribute = [](std::string_view, std::string_view name) { return std::optional<Json>(Json(std::string(name))); };
  scope.import_value = [](std::string_view name) { return std::optional<std::string>(name); };
  if (const Json* mappings = document.find("Mappings")) scope.mappings = *mappings;
  if (const Json* conditions = document.find("Conditions"); conditions && !evaluate_conditions(*conditions, scope)) return;
  for (const char* section : {"Resources", "Outputs"}) {
    const Json* values = document.find(section);
    if (!values) continue;
    (void)evaluate(*values, scope);
    std::set<std::string> mentioned;
    collect_mentions(*values, mentioned);
    collect_references(*values, scope, mentioned);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto document = reef::cloudformation::parse_template({reinterpret_cast<const char*>(data), size});
  if (!document || !reef::cloudformation::check_sections(*document)) return 0;
  evaluate_all(*document);
  if (const auto transformed = reef::cloudformation::sam::transform(*document, {}, "us-east-1")) evaluate_all(*transformed);
  return 0;
}
