// The policy of a form that uploads to S3: what whoever signed it allows the form to hold.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/error.h"
#include "base/time.h"

namespace reef::s3 {

// A form's fields before its file, in their order. Names are compared whatever their case.
class FormFields {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  const std::string* find(std::string_view name) const;
  std::string value(std::string_view name) const;  // "" when it is not there
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Checks the fields (with the bucket's name among them, as "bucket") and the file's size against the policy as the form
// has it, in base64. Whether it was signed is checked elsewhere.
aws::Reply<void> check_policy(std::string_view policy, const FormFields& fields, std::uint64_t file_bytes, Time now);

}  // namespace reef::s3
