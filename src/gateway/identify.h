// Which operation of which service a request means. The order of the clues is what real clients put on the wire:
// rpcv2Cbor path, X-Amz-Target, form body with Action and Version, credential scope, host, path.
#pragma once

#include <optional>
#include <string>

#include "aws/protocol/codec.h"
#include "aws/sigv4.h"
#include "gateway/registry.h"
#include "http/message.h"

namespace reef::gateway {

struct Identified {
  ServiceEntry* service = nullptr;
  aws::Protocol protocol = aws::Protocol::kJson11;
  const aws::OperationModel* operation = nullptr;   // nullptr: the service is known, the operation is not
  const aws::Operation* served = nullptr;
  aws::UriLabels labels;
  std::string operation_name;                       // as the client wrote it
  std::string form;                                 // to be decoded instead of the body, when not empty
};

// `claim` is the signature if there is one; `body` is needed for query protocols (already read and inflated when the
// content type says form, else empty). Moves an S3 bucket from the host name into request.path (then kept alive in
// `path_storage`). Nothing when no service matches.
std::optional<Identified> identify(Registry& registry, http::Request& request, const aws::SignatureClaim* claim,
                                   std::string_view body, std::string& path_storage);

// Whether identify needs the body: a form that is not an S3 upload.
bool needs_form(const http::Request& request);

// Whether a page of another site made a browser send this: it has an Origin that is not of this machine. Pages can send
// some requests without asking first, so what is unsigned and changes things is refused then.
bool is_foreign_page(const http::Request& request);

// "bucket" of "bucket.s3.us-east-1.localhost.localstack.cloud:4566" and the other virtual-host forms; "" otherwise.
std::string_view bucket_of_host(std::string_view host);

}  // namespace reef::gateway
