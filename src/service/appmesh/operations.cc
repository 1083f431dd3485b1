// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_Operations.html
#include "service/appmesh/operations.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"

namespace reef::service::appmesh::operations {
namespace {

using wire::Json;

constexpr std::size_t kTagsMax = 50, kPageMax = 100;

auto committed() { return store::Shard::control().committed(); }

aws::Error not_found(const Kind& kind, std::string_view name) { return {errors::kNotFoundException, fmt::format("{} with name {} does not exist.", kind.name, name)}; }

// Where an input says that something is: what is missing on the way there.
Reply<Entity> place_of(const AppMesh& appmesh, const Kind& kind, const Json& input, const Call& call) {
  Entity out{.kind = &kind, .account = call.account, .region = call.region, .mesh = input.text("meshName"), .parent = kind.parent_member.empty() ? std::string() : input.text(kind.parent_member),
             .name = input.text(kind.name_member), .token = input.text("clientToken"), .metadata = {}, .spec = {}, .tags = {}};
  if (const std::string& owner = input.text("meshOwner"); !owner.empty()) out.account = owner;
  out.metadata.arn = make_arn(kind, out.account, out.region, out.mesh, out.parent, out.name);
  if (&kind != &kMesh && !appmesh.entities.contains(mesh_arn(out))) return Err(not_found(kMesh, out.mesh));
  if (!kind.parent_member.empty()) {
    const Kind& parent = &kind == &kRoute ? kVirtualRouter : kVirtualGateway;
    if (!find(appmesh, parent, out, out.parent)) return Err(not_found(parent, out.parent));
  }
  return out;
}

Reply<Entity*> find_there(AppMesh& appmesh, const Kind& kind, const Json& input, const Call& call) {
  const Entity place = TRY(place_of(appmesh, kind, input, call));
  const auto found = appmesh.entities.find(place.arn());
  if (found == appmesh.entities.end()) return Err(not_found(kind, place.name));
  return &found->second;
}

// What replies hold of it.
Json describe(const Entity& entity, std::string_view status = "ACTIVE") {
  Json out = Json::object({{"meshName", entity.mesh}, {std::string(entity.kind->name_member), entity.name}, {"metadata", aws::to_json(entity.metadata)}, {"spec", entity.spec},
                           {"status", Json::object({{"status", status}})}});
  if (!entity.kind->parent_member.empty()) out.set(entity.kind->parent_member, entity.parent);
  return out;
}
template <class Out>
Reply<Out> reply_with(const Kind& kind, Json value) {
  return aws::from_json<Out>(Json::object({{std::string(kind.member), std::move(value)}}));
}

Reply<void> check_tags(const std::vector<model::TagRef>& tags) {
  if (tags.size() > kTagsMax) return Err(aws::Error(errors::kTooManyTagsException, fmt::format("A resource can have at most {} tags.", kTagsMax)));
  return {};
}

void put_tags(std::vector<model::TagRef>& to, const std::vector<model::TagRef>& from) {
  for (const model::TagRef& tag : from) {
    const auto found = std::find_if(to.begin(), to.end(), [&](const model::TagRef& one) { return one.key == tag.key; });
    if (found == to.end()) to.push_back(tag);
    else *found = tag;
  }
}

template <class Out, class In>
Task<Reply<Out>> create(AppMesh& appmesh, const Kind& kind, const In& in, const Call& call) {
  const Json input = aws::to_json(in);
  Entity entity = CO_TRY(place_of(appmesh, kind, input, call));
  entity.spec = input["spec"].is_object() ? input["spec"] : Json::object();
  if (in.tags) put_tags(entity.tags, *in.tags);
  CO_TRY(check_tags(entity.tags));
  if (const auto found = appmesh.entities.find(entity.arn()); found != appmesh.entities.end()) {
    if (!entity.token.empty() && found->second.token == entity.token && found->second.spec.dump() == entity.spec.dump()) co_return reply_with<Out>(kind, describe(found->second));
    co_return Err(aws::Error(errors::kConflictException, fmt::format("{} with name {} already exists.", kind.name, entity.name)));
  }
  CO_TRY(check_spec(appmesh, entity));
  entity.metadata.uid = make_uuid(thread_random());
  entity.metadata.created_at = entity.metadata.last_updated_at = call.now;
  entity.metadata.mesh_owner = entity.metadata.resource_owner = entity.account;
  entity.metadata.version = 1;
  save(entity);
  const Entity& kept = appmesh.entities.insert_or_assign(entity.arn(), entity).first->second;
  publish(appmesh, kept);
  co_await committed();
  co_return reply_with<Out>(kind, describe(entity));
}

template <class Out, class In>
Task<Reply<Out>> update(AppMesh& appmesh, const Kind& kind, const In& in, const Call& call) {
  const Json input = aws::to_json(in);
  Entity* const found = CO_TRY(find_there(appmesh, kind, input, call));
  Entity changed = *found;
  changed.spec = input["spec"].is_object() ? input["spec"] : Json::object();
  CO_TRY(check_spec(appmesh, changed));
  changed.metadata.last_updated_at = call.now;
  ++changed.metadata.version;
  save(changed);
  *found = changed;
  publish(appmesh, changed);
  co_await committed();
  co_return reply_with<Out>(kind, describe(changed));
}

template <class Out, class In>
Task<Reply<Out>> remove(AppMesh& appmesh, const Kind& kind, const In& in, const Call& call) {
  const Entity gone = *CO_TRY(find_there(appmesh, kind, aws::to_json(in), call));
  CO_TRY(check_unused(appmesh, gone));
  erase_record(gone);
  appmesh.entities.erase(gone.arn());
  publish(appmesh, gone);
  co_await committed();
  co_return reply_with<Out>(kind, describe(gone, "DELETED"));
}

// The page after `token`, which is the name that the page before ended with.
template <class Out, class In>
Task<Reply<Out>> list(AppMesh& appmesh, const Kind& kind, const In& in, const Call& call) {
  Json input = aws::to_json(in);
  const Entity place = CO_TRY(place_of(appmesh, kind, input, call));
  std::vector<const Entity*> all;
  if (&kind == &kMesh) {
    for (const auto& [arn, entity] : appmesh.entities)
      if (entity.kind == &kMesh && entity.account == call.account && entity.region == call.region) all.push_back(&entity);
  } else {
    all = all_of(appmesh, kind, place, place.parent);
  }
  const auto limit = static_cast<std::size_t>(input["limit"].as_int().value_or(kPageMax));
  const std::string& token = input.text("nextToken");
  Json page = Json::array();
  std::string last;
  Json out = Json::object();
  for (const Entity* one : all) {
    if (!token.empty() && one->name <= token) continue;
    if (page.size() == limit) {
      out.set("nextToken", last);
      break;
    }
    Json ref = aws::to_json(one->metadata);
    ref.erase("uid");
    ref.set("meshName", one->mesh);
    ref.set(kind.name_member, one->name);
    if (!kind.parent_member.empty()) ref.set(kind.parent_member, one->parent);
    page.push_back(std::move(ref));
    last = one->name;
  }
  out.set(kind.list_member, std::move(page));
  co_return aws::from_json<Out>(out);
}

Reply<Entity*> find_arn(AppMesh& appmesh, const std::string& arn) {
  const auto found = appmesh.entities.find(arn);
  if (found == appmesh.entities.end()) return Err(aws::Error(errors::kNotFoundException, fmt::format("Resource with ARN {} does not exist.", arn)));
  return &found->second;
}

}  // namespace

#define APPMESH_FIVE(One, Many)                                                                                                                                                   \
  Task<Reply<model::Create##One##Output>> Create##One(AppMesh& appmesh, const model::Create##One##Input& in, const Call& call) { return create<model::Create##One##Output>(appmesh, k##One, in, call); } \
  Task<Reply<model::Describe##One##Output>> Describe##One(AppMesh& appmesh, const model::Describe##One##Input& in, const Call& call) {                                             \
    co_return reply_with<model::Describe##One##Output>(k##One, describe(*CO_TRY(find_there(appmesh, k##One, aws::to_json(in), call))));                                           \
  }                                                                                                                                                                               \
  Task<Reply<model::Update##One##Output>> Update##One(AppMesh& appmesh, const model::Update##One##Input& in, const Call& call) { return update<model::Update##One##Output>(appmesh, k##One, in, call); } \
  Task<Reply<model::Delete##One##Output>> Delete##One(AppMesh& appmesh, const model::Delete##One##Input& in, const Call& call) { return remove<model::Delete##One##Output>(appmesh, k##One, in, call); } \
  Task<Reply<model::List##Many##Output>> List##Many(AppMesh& appmesh, const model::List##Many##Input& in, const Call& call) { return list<model::List##Many##Output>(appmesh, k##One, in, call); }
APPMESH_KINDS(APPMESH_FIVE)
#undef APPMESH_FIVE

Task<Reply<model::TagResourceOutput>> TagResource(AppMesh& appmesh, const model::TagResourceInput& in, const Call&) {
  Entity* const entity = CO_TRY(find_arn(appmesh, in.resource_arn));
  auto tags = entity->tags;
  put_tags(tags, in.tags);
  CO_TRY(check_tags(tags));
  entity->tags = std::move(tags);
  save(*entity);
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(AppMesh& appmesh, const model::UntagResourceInput& in, const Call&) {
  Entity* const entity = CO_TRY(find_arn(appmesh, in.resource_arn));
  std::erase_if(entity->tags, [&](const model::TagRef& tag) { return std::find(in.tag_keys.begin(), in.tag_keys.end(), tag.key) != in.tag_keys.end(); });
  save(*entity);
  co_await committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(AppMesh& appmesh, const model::ListTagsForResourceInput& in, const Call&) {
  co_return model::ListTagsForResourceOutput{.next_token = {}, .tags = (CO_TRY(find_arn(appmesh, in.resource_arn)))->tags};
}

}  // namespace reef::service::appmesh::operations
