#include "service/s3/errors.h"

#include "base/log.h"

namespace reef::s3 {

aws::Error no_such_bucket(std::string_view name) {
  aws::Error error("NoSuchBucket", "The specified bucket does not exist", 404);
  error.fields.set("BucketName", name);
  return error;
}

aws::Error no_such_key(std::string_view key) {
  aws::Error error("NoSuchKey", "The specified key does not exist.", 404);
  error.fields.set("Key", key);
  return error;
}

aws::Error no_such_version(std::string_view key, std::string_view version) {
  aws::Error error("NoSuchVersion", "The specified version does not exist.", 404);
  error.fields.set("Key", key);
  error.fields.set("VersionId", version);
  return error;
}

aws::Error no_such_upload(std::string_view id) {
  aws::Error error("NoSuchUpload",
                   "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
                   "or completed.", 404);
  error.fields.set("UploadId", id);
  return error;
}

aws::Error precondition_failed(std::string_view condition) {
  aws::Error error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412);
  error.fields.set("Condition", condition);
  return error;
}

aws::Error marker_refuses(std::string_view method) {
  aws::Error error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
  error.fields.set("Method", method);
  error.fields.set("ResourceType", "DeleteMarker");
  return error;
}

aws::Error not_modified() { return {"NotModified", "Not Modified", 304}; }

aws::Error invalid_argument(std::string message, std::string_view name, std::string_view value) {
  aws::Error error("InvalidArgument", std::move(message), 400);
  if (!name.empty()) {
    error.fields.set("ArgumentName", name);
    if (!value.empty()) error.fields.set("ArgumentValue", value);
  }
  return error;
}

aws::Error invalid_request(std::string message) { return {"InvalidRequest", std::move(message), 400}; }

aws::Error malformed_xml() {
  return {"MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema", 400};
}

aws::Error storage_failed(const Failure& failure) {
  log::write(log::Level::kError, "object data could not be stored or read", {{"error", failure.message}});
  return {"InternalError", "We encountered an internal error. Please try again.", 500};
}

aws::Error to_error(blob::Refusal refusal, const Subject& subject) {
  switch (refusal) {
    case blob::Refusal::kNoSuchBucket:
      return no_such_bucket(subject.bucket);
    case blob::Refusal::kBucketExists:
      return {"BucketAlreadyExists",
              "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please "
              "select a different name and try again.", 409};
    case blob::Refusal::kBucketNotEmpty: {
      aws::Error error("BucketNotEmpty", "The bucket you tried to delete is not empty", 409);
      error.fields.set("BucketName", subject.bucket);
      return error;
    }
    case blob::Refusal::kNoSuchKey:
      return no_such_key(subject.key);
    case blob::Refusal::kNoSuchVersion:
      return no_such_version(subject.key, subject.version);
    case blob::Refusal::kNoSuchUpload:
      return no_such_upload(subject.upload);
    case blob::Refusal::kPreconditionFailed:
      return precondition_failed("If-None-Match");
    case blob::Refusal::kConflict:
      return {"OperationAborted", "A conflicting conditional operation is currently in progress against this resource. Please try again.", 409};
    case blob::Refusal::kProtected:
      return {"AccessDenied", "Access Denied because object protected by object lock.", 403};
  }
  return aws::internal_failure();
}

}  // namespace reef::s3
