// Prefix lists: a customer's, with the entries of each version, and AWS's own for S3 and DynamoDB.
#pragma once

#include <string>
#include <vector>

#include "service/ec2/state.h"

namespace reef::service::ec2 {

using PrefixEntries = std::vector<model::PrefixListEntry>;

// Of one version; the current one is kept under the list's own id, too, where the network engine looks.
void put_entries(const Call& call, const std::string& list, std::int64_t version, const PrefixEntries& entries);
std::optional<PrefixEntries> entries_of(const Call& call, const std::string& list, std::int64_t version);
void erase_entries(const Call& call, const std::string& list, std::int64_t last_version);
PrefixEntries read_entries(const std::string& text);

// "s3" or "dynamodb": the list that AWS keeps for the service in the call's region. All of AWS is at one address here.
model::PrefixList service_prefix_list(const Call& call, std::string_view service);

}  // namespace reef::service::ec2
