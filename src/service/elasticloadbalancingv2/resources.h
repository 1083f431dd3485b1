// The CloudFormation types of Elastic Load Balancing.
#pragma once

#include "aws/resource.h"

namespace reef::service::elb::resources {

extern const aws::ResourceType kLoadBalancer, kListener, kListenerRule, kTargetGroup, kListenerCertificate, kTrustStore, kTrustStoreRevocation;

}  // namespace reef::service::elb::resources
