// What EC2 serves: the VPC family, and the CloudFormation types it owns.
#include "engine/store/shard.h"
#include "service/ec2/ec2.h"
#include "service/ec2/resources.h"

namespace reef::service {
namespace ec2 {
namespace {

template <class Out, class In>
Reply<Out> ask(Reply<Out> (*handler)(const In&, const Call&), Ec2&, const In& in, const Call& call) { return handler(in, call); }
template <class Out, class In>
Reply<Out> ask(Reply<Out> (*handler)(Ec2&, const In&, const Call&), Ec2& ec2, const In& in, const Call& call) { return handler(ec2, in, call); }

template <class In, class Out, auto Handler>
struct AnswerAs {
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html: DryRun
  static Task<Reply<Out>> run(Ec2& ec2, const In& in, const Call& call) {
    if constexpr (requires { in.dry_run; })
      if (in.dry_run.value_or(false)) co_return Err(aws::Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412));
    auto out = ask(Handler, ec2, in, call);
    ec2.sync();
    co_await store::Shard::control().committed();
    co_return out;
  }
};
template <auto Handler>
struct Answer;
template <class In, class Out, Reply<Out> (*Handler)(const In&, const Call&)>
struct Answer<Handler> : AnswerAs<In, Out, Handler> {};
template <class In, class Out, Reply<Out> (*Handler)(Ec2&, const In&, const Call&)>
struct Answer<Handler> : AnswerAs<In, Out, Handler> {};

const aws::ServiceDefinition kEc2{
    .model = &aws::ec2::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define EC2_ROW(Name) aws::serve<Answer<operations::Name>::run>(aws::ec2::ops::k##Name),
            EC2_OPERATIONS(EC2_ROW) EC2_NETWORK_OPERATIONS(EC2_ROW)
#undef EC2_ROW
        },
    .resources = {&resources::kVpc, &resources::kSubnet, &resources::kInternetGateway, &resources::kGatewayAttachment, &resources::kRouteTable,
                  &resources::kRoute, &resources::kRouteTableAssociation, &resources::kSecurityGroup, &resources::kIngress, &resources::kEgress,
                  &resources::kAddress, &resources::kNatGateway, &resources::kNetworkAcl, &resources::kNetworkAclEntry, &resources::kNetworkAclAssociation,
                  &resources::kNetworkInterface, &resources::kFlowLog, &resources::kVpcEndpoint, &resources::kVpcCidrBlock, &resources::kDhcpOptions,
                  &resources::kDhcpOptionsAssociation, &resources::kPrefixList},
};

}  // namespace
}  // namespace ec2

std::unique_ptr<aws::Service> make_ec2(Parts& parts) { return std::make_unique<aws::ServiceOf<ec2::Ec2>>(ec2::kEc2, parts); }

}  // namespace reef::service
