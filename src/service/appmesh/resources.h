// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_AppMesh.html
#pragma once

#include "aws/resource.h"

namespace reef::service::appmesh::resources {

extern const aws::ResourceType kMesh, kVirtualService, kVirtualNode, kVirtualRouter, kRoute, kVirtualGateway, kGatewayRoute;

}  // namespace reef::service::appmesh::resources
