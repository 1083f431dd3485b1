"""App Mesh's API: what it keeps, and what it refuses."""
import json

import botocore.exceptions
import pytest


@pytest.fixture(scope="module")
def appmesh(daemon):
    client = daemon.client("appmesh")
    client.create_mesh(meshName="shop")
    return client


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def node_spec(port=8080, protocol="http", **more):
    return {"listeners": [{"portMapping": {"port": port, "protocol": protocol}, **more}], "serviceDiscovery": {"dns": {"hostname": "orders.internal"}}}


def test_a_mesh_and_its_versions(appmesh):
    mesh = appmesh.describe_mesh(meshName="shop")["mesh"]
    assert mesh["status"] == {"status": "ACTIVE"} and mesh["metadata"]["version"] == 1
    assert mesh["metadata"]["arn"] == "arn:aws:appmesh:us-east-1:000000000000:mesh/shop"
    changed = appmesh.update_mesh(meshName="shop", spec={"egressFilter": {"type": "ALLOW_ALL"}})["mesh"]
    assert changed["metadata"]["version"] == 2 and changed["spec"] == {"egressFilter": {"type": "ALLOW_ALL"}}
    assert [one["meshName"] for one in appmesh.list_meshes()["meshes"]] == ["shop"]
    assert refusal(appmesh.create_mesh, meshName="shop") == ("ConflictException", 409)
    assert refusal(appmesh.describe_mesh, meshName="other") == ("NotFoundException", 404)


def test_nodes_routers_routes_and_services(appmesh):
    for name in ("v1", "v2"):
        appmesh.create_virtual_node(meshName="shop", virtualNodeName=name, spec=node_spec())
    appmesh.create_virtual_router(meshName="shop", virtualRouterName="r", spec={"listeners": [{"portMapping": {"port": 80, "protocol": "http"}}]})
    spec = {"priority": 1, "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "v1", "weight": 90}, {"virtualNode": "v2", "weight": 10}]},
                                         "retryPolicy": {"maxRetries": 2, "perRetryTimeout": {"value": 500, "unit": "ms"}, "httpRetryEvents": ["server-error"]}}}
    route = appmesh.create_route(meshName="shop", virtualRouterName="r", routeName="all", spec=spec)["route"]
    assert route["spec"] == spec and route["metadata"]["arn"].endswith(":mesh/shop/virtualRouter/r/route/all")
    appmesh.create_virtual_service(meshName="shop", virtualServiceName="orders.local", spec={"provider": {"virtualRouter": {"virtualRouterName": "r"}}})
    assert [one["virtualNodeName"] for one in appmesh.list_virtual_nodes(meshName="shop")["virtualNodes"]] == ["v1", "v2"]
    page = appmesh.list_virtual_nodes(meshName="shop", limit=1)
    assert [one["virtualNodeName"] for one in appmesh.list_virtual_nodes(meshName="shop", nextToken=page["nextToken"])["virtualNodes"]] == ["v2"]
    # What is used stays.
    assert refusal(appmesh.delete_virtual_node, meshName="shop", virtualNodeName="v1") == ("ResourceInUseException", 409)
    assert refusal(appmesh.delete_virtual_router, meshName="shop", virtualRouterName="r") == ("ResourceInUseException", 409)
    assert refusal(appmesh.delete_mesh, meshName="shop") == ("ResourceInUseException", 409)


def test_refused_specs(appmesh):
    def create(**spec):
        return refusal(appmesh.create_route, meshName="shop", virtualRouterName="r", routeName="bad", spec=spec)[0]
    target = {"weightedTargets": [{"virtualNode": "v1", "weight": 1}]}
    assert create() == "BadRequestException"
    assert create(httpRoute={"match": {"prefix": "/"}, "action": target}, tcpRoute={"action": target}) == "BadRequestException"
    assert create(httpRoute={"match": {"prefix": "x"}, "action": target}) == "BadRequestException"
    assert create(httpRoute={"match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "nobody", "weight": 1}]}}) == "NotFoundException"
    assert create(httpRoute={"match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "v1", "weight": 0}]}}) == "BadRequestException"
    assert create(httpRoute={"match": {"path": {"regex": "("}}, "action": target}) == "BadRequestException"
    assert refusal(appmesh.create_route, meshName="shop", virtualRouterName="none", routeName="x", spec={"tcpRoute": {"action": target}})[0] == "NotFoundException"
    assert refusal(appmesh.create_virtual_service, meshName="shop", virtualServiceName="x", spec={"provider": {"virtualNode": {"virtualNodeName": "none"}}})[0] == "NotFoundException"
    assert refusal(appmesh.create_virtual_node, meshName="shop", virtualNodeName="x", spec=node_spec(connectionPool={"grpc": {"maxRequests": 1}}))[0] == "BadRequestException"


def test_tags(appmesh):
    arn = appmesh.create_virtual_node(meshName="shop", virtualNodeName="tagged", spec={}, tags=[{"key": "a", "value": "1"}])["virtualNode"]["metadata"]["arn"]
    appmesh.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    appmesh.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert appmesh.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    assert appmesh.delete_virtual_node(meshName="shop", virtualNodeName="tagged")["virtualNode"]["status"]["status"] == "DELETED"


TEMPLATE = {"Resources": {
    "Mesh": {"Type": "AWS::AppMesh::Mesh", "Properties": {"MeshName": "made", "Spec": {"EgressFilter": {"Type": "DROP_ALL"}}}},
    "Node": {"Type": "AWS::AppMesh::VirtualNode", "Properties": {"MeshName": {"Fn::GetAtt": ["Mesh", "MeshName"]}, "VirtualNodeName": "n", "Spec": {
        "Listeners": [{"PortMapping": {"Port": "8080", "Protocol": "http"}}], "ServiceDiscovery": {"DNS": {"Hostname": "n.internal"}}}}},
    "Router": {"Type": "AWS::AppMesh::VirtualRouter", "Properties": {"MeshName": {"Fn::GetAtt": ["Mesh", "MeshName"]}, "VirtualRouterName": "r", "Spec": {"Listeners": [{"PortMapping": {"Port": 80, "Protocol": "http"}}]}}},
    "Route": {"Type": "AWS::AppMesh::Route", "Properties": {"MeshName": "made", "RouteName": "all", "VirtualRouterName": {"Fn::GetAtt": ["Router", "VirtualRouterName"]}, "Spec": {
        "HttpRoute": {"Match": {"Prefix": "/"}, "Action": {"WeightedTargets": [{"VirtualNode": {"Fn::GetAtt": ["Node", "VirtualNodeName"]}, "Weight": 1}]}}}}},
    "Service": {"Type": "AWS::AppMesh::VirtualService", "Properties": {"MeshName": "made", "VirtualServiceName": "s.local", "Spec": {"Provider": {"VirtualRouter": {"VirtualRouterName": {"Fn::GetAtt": ["Router", "VirtualRouterName"]}}}}}},
    "Gateway": {"Type": "AWS::AppMesh::VirtualGateway", "Properties": {"MeshName": {"Fn::GetAtt": ["Mesh", "MeshName"]}, "VirtualGatewayName": "g", "Spec": {"Listeners": [{"PortMapping": {"Port": 9080, "Protocol": "http"}}]}}},
    "GatewayRoute": {"Type": "AWS::AppMesh::GatewayRoute", "Properties": {"MeshName": "made", "GatewayRouteName": "in", "VirtualGatewayName": {"Fn::GetAtt": ["Gateway", "VirtualGatewayName"]}, "Spec": {
        "HttpRoute": {"Match": {"Prefix": "/"}, "Action": {"Target": {"VirtualService": {"VirtualServiceName": {"Fn::GetAtt": ["Service", "VirtualServiceName"]}}}}}}}},
}}


def test_a_stack_makes_and_removes_a_mesh(daemon, appmesh):
    cloudformation = daemon.client("cloudformation")
    cloudformation.create_stack(StackName="m", TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="m", WaiterConfig={"Delay": 1})
    node = appmesh.describe_virtual_node(meshName="made", virtualNodeName="n")["virtualNode"]["spec"]
    assert node == {"listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}], "serviceDiscovery": {"dns": {"hostname": "n.internal"}}}
    assert [one["gatewayRouteName"] for one in appmesh.list_gateway_routes(meshName="made", virtualGatewayName="g")["gatewayRoutes"]] == ["in"]
    cloudformation.delete_stack(StackName="m")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="m", WaiterConfig={"Delay": 1})
    assert refusal(appmesh.describe_mesh, meshName="made")[0] == "NotFoundException"
