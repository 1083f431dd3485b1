// What EC2 serves: the VPC family, and the CloudFormation types it owns.
#include "service/ec2/ec2.h"
#include "service/ec2/resources.h"

namespace reef::service {
namespace ec2 {
namespace {

template <auto Handler>
struct Answer;
template <class In, class Out, Reply<Out> (*Handler)(const In&, const Call&)>
struct Answer<Handler> {
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html: DryRun
  static Task<Reply<Out>> run(Ec2&, const In& in, const Call& call) {
    if constexpr (requires { in.dry_run; })
      if (in.dry_run.value_or(false)) co_return Err(aws::Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412));
    co_return Handler(in, call);
  }
};

const aws::ServiceDefinition kEc2{
    .model = &aws::ec2::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define EC2_ROW(Name) aws::serve<Answer<operations::Name>::run>(aws::ec2::ops::k##Name),
            EC2_OPERATIONS(EC2_ROW)
#undef EC2_ROW
        },
    .resources = {&resources::kVpc, &resources::kSubnet, &resources::kInternetGateway, &resources::kGatewayAttachment, &resources::kRouteTable,
                  &resources::kRoute, &resources::kRouteTableAssociation, &resources::kSecurityGroup, &resources::kIngress, &resources::kEgress,
                  &resources::kAddress, &resources::kNatGateway},
};

}  // namespace
}  // namespace ec2

std::unique_ptr<aws::Service> make_ec2(Parts& parts) { return std::make_unique<aws::ServiceOf<ec2::Ec2>>(ec2::kEc2, parts); }

}  // namespace reef::service
