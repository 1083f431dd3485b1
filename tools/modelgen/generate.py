#!/usr/bin/env python3
"""Turns models/<service>.json into plain C++ structs and constant tables (see src/aws/shape.h).

    tools/modelgen/generate.py models/sqs.json out.h out.cc

Run by cmake/models.cmake. Standard library only.
"""
import json
import pathlib
import re
import sys

# Shapes that are hand-written C++ types: (service, shape) -> (type, header, codec, header of the codec).
NATIVE = {
    ("dynamodb", "AttributeValue"): ("::reef::AttributeValue", "base/attribute_value.h",
                                     "::reef::aws::kAttributeValueCodec", "aws/attribute_value_codec.h"),
}
# The root elements of S3's replies, which its model does not tell.
S3_ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult", "ListObjects": "ListBucketResult", "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult", "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListParts": "ListPartsResult", "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult", "DeleteObjects": "DeleteResult",
    "GetBucketLocation": "LocationConstraint", "GetBucketTagging": "Tagging", "GetObjectTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration", "GetBucketAcl": "AccessControlPolicy",
    "GetObjectAcl": "AccessControlPolicy", "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration", "GetBucketWebsite": "WebsiteConfiguration",
    "GetBucketLogging": "BucketLoggingStatus", "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration", "GetObjectAttributes": "GetObjectAttributesResponse",
}
# SQS's JSON model no longer tells the names of its query protocol, which older clients still speak: list -> element,
# map -> (key, value), member -> name.
SQS_ELEMENTS = {"AWSAccountIdList": "AWSAccountId", "ActionNameList": "ActionName", "AttributeNameList": "AttributeName",
                "BinaryList": "BinaryListValue", "MessageAttributeNameList": "MessageAttributeName",
                "MessageSystemAttributeList": "MessageSystemAttributeName", "QueueUrlList": "QueueUrl",
                "StringList": "StringListValue", "TagKeyList": "TagKey"}
SQS_MAPS = {"MessageBodyAttributeMap": ("Name", "Value"), "MessageBodySystemAttributeMap": ("Name", "Value"),
            "MessageSystemAttributeMap": ("Name", "Value"), "QueueAttributeMap": ("Name", "Value"), "TagMap": ("Key", "Value")}
SQS_MEMBERS = {"Attributes": "Attribute", "tags": "Tag", "Tags": "Tag", "MessageAttributes": "MessageAttribute",
               "MessageSystemAttributes": "MessageSystemAttribute"}
# Nor does it tell the codes and statuses of its errors: shape -> (query code, status).
SQS_ERRORS = {
    "BatchEntryIdsNotDistinct": ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": ("AWS.SimpleQueueService.BatchRequestTooLong", 400),
    "EmptyBatchRequest": ("AWS.SimpleQueueService.EmptyBatchRequest", 400),
    "InvalidBatchEntryId": ("AWS.SimpleQueueService.InvalidBatchEntryId", 400),
    "MessageNotInflight": ("AWS.SimpleQueueService.MessageNotInflight", 400),
    "PurgeQueueInProgress": ("AWS.SimpleQueueService.PurgeQueueInProgress", 403),
    "QueueDeletedRecently": ("AWS.SimpleQueueService.QueueDeletedRecently", 400),
    "QueueDoesNotExist": ("AWS.SimpleQueueService.NonExistentQueue", 400),
    "QueueNameExists": ("QueueAlreadyExists", 400),
    "TooManyEntriesInBatchRequest": ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400),
    "UnsupportedOperation": ("AWS.SimpleQueueService.UnsupportedOperation", 400),
    "OverLimit": ("OverLimit", 403), "RequestThrottled": ("RequestThrottled", 403),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404), "InvalidAddress": ("InvalidAddress", 404),
    "InvalidSecurity": ("InvalidSecurity", 403), "ReceiptHandleIsInvalid": ("ReceiptHandleIsInvalid", 404),
    "KmsAccessDenied": ("KMS.AccessDeniedException", 400), "KmsDisabled": ("KMS.DisabledException", 400),
    "KmsInvalidKeyUsage": ("KMS.InvalidKeyUsageException", 400), "KmsInvalidState": ("KMS.InvalidStateException", 400),
    "KmsNotFound": ("KMS.NotFoundException", 400), "KmsOptInRequired": ("KMS.OptInRequired", 403),
    "KmsThrottled": ("KMS.ThrottlingException", 400),
}
SCALARS = {"string": "std::string", "character": "std::string", "blob": "std::string", "integer": "std::int32_t",
           "short": "std::int32_t", "byte": "std::int32_t", "long": "std::int64_t", "biginteger": "std::int64_t",
           "float": "double", "double": "double", "bigdecimal": "double", "boolean": "bool", "timestamp": "::reef::Time"}
KINDS = {"string": "kString", "character": "kString", "blob": "kBlob", "integer": "kInteger", "short": "kInteger",
         "byte": "kInteger", "long": "kLong", "biginteger": "kLong", "float": "kDouble", "double": "kDouble",
         "bigdecimal": "kDouble", "boolean": "kBoolean", "timestamp": "kTimestamp", "list": "kList", "map": "kMap"}
PROTOCOLS = {"json1.0": "kJson10", "json1.1": "kJson11", "query": "kQuery", "ec2": "kEc2Query", "rest-json": "kRestJson",
             "rest-xml": "kRestXml", "smithy-rpc-v2-cbor": "kRpcV2Cbor"}
TIMESTAMPS = {"iso8601": "kIso8601", "rfc822": "kHttpDate", "unixTimestamp": "kEpochSeconds"}
KEYWORDS = set("""alignas alignof and asm auto bool break case catch char class compl concept const constexpr continue
co_await co_return co_yield decltype default delete do double else enum explicit export extern false float for friend
goto if inline int long mutable namespace new noexcept not nullptr operator or private protected public register
requires return short signed sizeof static struct switch template this throw true try typedef typeid typename union
unsigned using virtual void volatile while xor""".split())


def snake(name):
    name = re.sub(r"[^A-Za-z0-9]", "_", name)
    name = name.replace("ETag", "Etag")
    name = re.sub(r"([A-Z]+)s(?=[A-Z]|$)", lambda m: m.group(1).title() + "s" if len(m.group(1)) > 1 else m.group(0), name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    name = re.sub(r"_+", "_", name)
    return name + "_" if name in KEYWORDS else name


def quote(text):
    out = ""
    for byte in text.encode():
        char = chr(byte)
        out += "\\" + char if char in '"\\' else char if 32 <= byte < 127 and char != "?" else f"\\{byte:03o}"
    return f'"{out}"'


def pascal(name):
    name = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    return name[:1].upper() + name[1:]


class Generator:
    def __init__(self, path):
        self.model = json.loads(pathlib.Path(path).read_text())
        self.service = pathlib.Path(path).stem
        self.shapes = self.model["shapes"]
        self.operations = self.model["operations"]
        self.native = {shape: row for (service, shape), row in NATIVE.items() if service == self.service and shape in self.shapes}
        if self.service == "sqs":
            self.add_sqs_query_names()
        self.name_structs()

    def add_sqs_query_names(self):
        for name, shape in self.shapes.items():
            if shape["type"] == "list":
                element = shape["member"]["shape"]
                shape["member"]["locationName"] = SQS_ELEMENTS.get(name, element)
            if shape["type"] == "map":
                shape["key"]["locationName"], shape["value"]["locationName"] = SQS_MAPS[name]
            if name in SQS_ERRORS:
                code, status = SQS_ERRORS[name]
                shape["error"] = {"code": code, "httpStatusCode": status, "senderFault": True}
            for member_name, member in shape.get("members", {}).items():
                if member_name in SQS_MEMBERS and self.shapes[member["shape"]]["type"] == "map":
                    member["locationName"] = SQS_MEMBERS[member_name]

    # --- names -----------------------------------------------------------------------------------------------------
    def name_structs(self):
        """Gives each structure its C++ name: <Operation>Input/Output when only that operation uses it."""
        uses = {}
        for shape in self.shapes.values():
            for member in self.parts(shape):
                uses[member["shape"]] = uses.get(member["shape"], 0) + 2
        for operation in self.operations.values():
            for part in ("input", "output"):
                if part in operation:
                    name = operation[part]["shape"]
                    uses[name] = uses.get(name, 0) + 1
        self.cpp = {name: pascal(name) for name in self.shapes}
        self.aliases, self.empty = [], []
        for name, operation in self.operations.items():
            for part, suffix in (("input", "Input"), ("output", "Output")):
                wanted = pascal(name) + suffix
                if part not in operation:
                    self.empty.append(wanted)
                    continue
                shape = operation[part]["shape"]
                if self.cpp[shape] == wanted:
                    continue
                if wanted in self.shapes:
                    sys.exit(f"{self.service}: {wanted} means two shapes")
                if uses[shape] == 1:
                    self.cpp[shape] = wanted
                else:
                    self.aliases.append((wanted, shape))

    @staticmethod
    def parts(shape):
        return list(shape.get("members", {}).values()) + [shape[p] for p in ("member", "key", "value") if p in shape]

    def is_struct(self, name):
        return self.shapes[name]["type"] == "structure" and not self.is_document(name) and name not in self.native

    def is_document(self, name):
        return bool(self.shapes[name].get("document"))

    def type_of(self, name):
        shape = self.shapes[name]
        if name in self.native:
            return self.native[name][0]
        if self.is_document(name):
            return "::reef::wire::Json"
        if shape["type"] == "structure":
            return self.cpp[name]
        if shape["type"] == "list":
            element = self.type_of(shape["member"]["shape"])
            if element == "bool":
                sys.exit(f"{self.service}.{name}: lists of booleans have no addressable elements")
            return f"std::vector<{element}>"
        if shape["type"] == "map":
            return f"std::map<std::string, {self.type_of(shape['value']['shape'])}, std::less<>>"
        return SCALARS[shape["type"]]

    def shape_name(self, name):
        return f"k{self.cpp[name]}Shape" if self.is_struct(name) else f"k_{self.cpp[name]}"

    # --- order -----------------------------------------------------------------------------------------------------
    def structs_in_order(self):
        """Contained before container; cycles (through lists, maps and Boxed) are met by forward declarations."""
        order, seen = [], set()

        def visit(name):
            if name in seen:
                return
            seen.add(name)
            if name in self.native or self.is_document(name):
                return
            for member in self.parts(self.shapes[name]):
                visit(member["shape"])
            if self.is_struct(name):
                order.append(name)

        for name in self.shapes:
            visit(name)
        return order

    def contains_directly(self, source, target, seen=None):
        seen = seen if seen is not None else set()
        if source == target:
            return True
        if source in seen or not self.is_struct(source):
            return False
        seen.add(source)
        return any(self.contains_directly(m["shape"], target, seen) for m in self.shapes[source].get("members", {}).values())

    def field_type(self, struct, member_name, member):
        shape = self.shapes[struct]
        plain = self.type_of(member["shape"])
        if self.is_struct(member["shape"]) and self.contains_directly(member["shape"], struct):
            return f"::reef::aws::Boxed<{plain}>"
        if member_name in shape.get("required", []):
            return plain
        return f"std::optional<{plain}>"

    # --- header ----------------------------------------------------------------------------------------------------
    def header(self):
        out = ["// Generated by tools/modelgen from models/%s.json." % self.service, "#pragma once", "",
               "#include <cstdint>", "#include <map>", "#include <optional>", "#include <string>", "#include <vector>", "",
               '#include "aws/shape.h"']
        out += sorted(f'#include "{row[1]}"' for row in self.native.values())
        out += ['#include "base/time.h"']
        if any(self.is_document(name) for name in self.shapes):
            out += ['#include "wire/json.h"']
        out += ["", f"namespace reef::aws::{self.service} {{", ""]
        structs = self.structs_in_order()
        out += [f"struct {self.cpp[name]};" for name in structs] + [""]
        for name in structs:
            out += self.struct(name)
        for name in self.empty:
            out += [f"struct {name} {{", f"  bool operator==(const {name}&) const = default;", "};"]
        out += [f"using {alias} = {self.cpp[shape]};" for alias, shape in self.aliases] + [""]
        every = [self.cpp[name] for name in structs] + self.empty
        out += [f"extern const ::reef::aws::Shape k{name}Shape;" for name in every] + [""]
        out += [f"inline const ::reef::aws::Shape& shape_of(const {name}*) {{ return k{name}Shape; }}" for name in every]
        out += ["", "namespace ops {"]
        out += [f"extern const ::reef::aws::OperationModel& k{pascal(name)};" for name in self.operations]
        out += ["}  // namespace ops", "namespace errors {"]
        out += [f"extern const ::reef::aws::ErrorShape& k{pascal(name)};" for name in self.errors()]
        out += ["}  // namespace errors", "namespace values {"]
        out += self.value_constants()
        out += ["}  // namespace values", "extern const ::reef::aws::ServiceModel kModel;", "",
                f"}}  // namespace reef::aws::{self.service}", ""]
        return "\n".join(out)

    def struct(self, name):
        shape = self.shapes[name]
        out = [f"struct {self.cpp[name]} {{"]
        names = set()
        for member_name, member in shape.get("members", {}).items():
            kind = self.field_type(name, member_name, member)
            field = snake(member_name)
            if field in names:
                sys.exit(f"{self.service}.{name}: two members are {field}")
            names.add(field)
            init = "{}" if kind in ("std::int32_t", "std::int64_t", "double", "bool", "::reef::Time") or kind.startswith("::reef::AttributeValue") else ""
            out.append(f"  {kind} {field}{init};")
        return out + [f"  bool operator==(const {self.cpp[name]}&) const = default;", "};"]

    def value_constants(self):
        out, seen = [], set()
        for name, shape in self.shapes.items():
            for value in shape.get("enum", []):
                constant = "k" + self.cpp[name] + pascal(value)
                if constant in seen or not pascal(value):
                    continue
                seen.add(constant)
                out.append(f"inline constexpr const char* {constant} = {quote(value)};")
        return out

    def errors(self):
        return [name for name, shape in self.shapes.items() if shape.get("exception") or "error" in shape]

    # --- tables ----------------------------------------------------------------------------------------------------
    def source(self):
        out = [f"// Generated by tools/modelgen from models/{self.service}.json.",
               f'#include "aws/models/{self.service}.h"', "", "#include <cstddef>", "", '#include "aws/shape_access.h"']
        out += sorted(f'#include "{row[3]}"' for row in self.native.values())
        out += ["", '#pragma clang diagnostic ignored "-Winvalid-offsetof"', "", f"namespace reef::aws::{self.service} {{",
                "namespace {", "using ::reef::aws::Shape;", "using ::reef::aws::Member;", "using ::reef::aws::Kind;",
                "using ::reef::aws::Location;", "using ::reef::aws::TimestampFormat;", "using ::reef::aws::Protocol;",
                "namespace access = ::reef::aws::access;"]
        scalars = [name for name in self.shapes if not self.is_struct(name)]
        out += [f"extern const Shape {self.shape_name(name)};" for name in scalars]
        for name in scalars:
            out += self.other_shape(name)
        structs = self.structs_in_order()
        for name in structs:
            out += self.member_table(name)
        out += ["}  // namespace"]
        for name in structs:
            out.append(self.struct_shape(name))
        for name in self.empty:
            out.append(f'const ::reef::aws::Shape k{name}Shape{{.name = "{name}", .kind = Kind::kStructure, .size = sizeof({name})}};')
        out += self.operation_table() + self.error_table() + self.service_table()
        out += [f"}}  // namespace reef::aws::{self.service}", ""]
        return "\n".join(out)

    def constraints(self, name):
        shape, out = self.shapes[name], []
        if shape["type"] in ("integer", "long", "float", "double", "short", "byte"):
            if "min" in shape:
                out += [f".range_min = {shape['min']}", ".has_range_min = true"]
            if "max" in shape:
                out += [f".range_max = {shape['max']}", ".has_range_max = true"]
            order = [out[0::2], out[1::2]]
            out = order[0] + order[1]
        else:
            out += [f".{key} = {shape[key]}" for key in ("min", "max") if key in shape]
        if "pattern" in shape:
            out.append(f".pattern = {quote(shape['pattern'])}")
        return out

    def other_shape(self, name):
        shape, out, fields = self.shapes[name], [], []
        fields += [f".name = {quote(name)}"]
        kind = "kNative" if name in self.native else "kDocument" if self.is_document(name) else KINDS[shape["type"]]
        fields += [f".kind = Kind::{kind}", f".size = sizeof({self.type_of(name)})"]
        if kind == "kNative":
            fields += [f".native = &{self.native[name][2]}"]
            return [f"const Shape {self.shape_name(name)}{{{', '.join(fields)}}};"]
        if kind == "kDocument":
            return [f"const Shape {self.shape_name(name)}{{{', '.join(fields)}}};"]
        if kind == "kList":
            element = shape["member"]
            fields += [f".element = &{self.shape_name(element['shape'])}"]
            if "locationName" in element:
                fields += [f".element_name = {quote(element['locationName'])}"]
            fields += [f".list = access::kList<{self.type_of(element['shape'])}>"]
        if kind == "kMap":
            fields += [f".element = &{self.shape_name(shape['value']['shape'])}"]
            if "locationName" in shape["value"]:
                fields += [f".element_name = {quote(shape['value']['locationName'])}"]
            fields += [f".key = &{self.shape_name(shape['key']['shape'])}"]
            if "locationName" in shape["key"]:
                fields += [f".key_name = {quote(shape['key']['locationName'])}"]
            fields += [f".map = access::kMap<{self.type_of(shape['value']['shape'])}>"]
        for flag in ("flattened", "sparse", "sensitive"):
            if shape.get(flag):
                fields.append(f".{flag} = true")
        fields += self.constraints(name)
        if "enum" in shape:
            out.append(f"const char* const k_{self.cpp[name]}_values[] = {{{', '.join(quote(v) for v in shape['enum'])}}};")
            fields += [f".enum_values = k_{self.cpp[name]}_values", f".enum_count = {len(shape['enum'])}"]
        if "timestampFormat" in shape:
            fields.append(f".timestamp = TimestampFormat::{TIMESTAMPS[shape['timestampFormat']]}")
        return out + [f"const Shape {self.shape_name(name)}{{{', '.join(fields)}}};"]

    def member_table(self, name):
        shape = self.shapes[name]
        members = shape.get("members", {})
        if not members:
            return []
        rows = [self.member(name, member_name, member) for member_name, member in members.items()]
        return [f"const Member k_{self.cpp[name]}_members[] = {{"] + ["    " + row + "," for row in rows] + ["};"]

    def member(self, struct, name, member):
        shape, target = self.shapes[struct], self.shapes[member["shape"]]
        wire = member.get("locationName")
        if wire is None and (target.get("flattened") or member.get("flattened")) and target["type"] == "list":
            wire = target["member"].get("locationName")
        location = member.get("location")
        fields = [f".name = {quote(name)}", f".wire_name = {quote(wire if wire is not None else name)}"]
        query_name = member.get("queryName")
        if query_name is None and "ec2" in self.protocol_names() and "locationName" in member:
            query_name = member["locationName"][:1].upper() + member["locationName"][1:]
        if query_name is not None:
            fields.append(f".query_name = {quote(query_name)}")
        fields.append(f".shape = &{self.shape_name(member['shape'])}")
        fields.append(f".access = access::kField<{self.field_type(struct, name, member)}>")
        fields.append(f".offset = offsetof({self.cpp[struct]}, {snake(name)})")
        if location:
            kind = {"header": "kHeader", "headers": "kHeaders", "querystring": "kQuery", "uri": "kUri", "statusCode": "kStatusCode"}[location]
            fields.append(f".location = Location::{kind}")
        if "timestampFormat" in member:
            fields.append(f".timestamp = TimestampFormat::{TIMESTAMPS[member['timestampFormat']]}")
        flags = (("required", name in shape.get("required", [])), ("is_payload", shape.get("payload") == name),
                 ("streaming", member.get("streaming") or (target["type"] == "blob" and target.get("streaming"))),
                 ("xml_attribute", member.get("xmlAttribute")),
                 ("xml_flattened", member.get("flattened") or target.get("flattened")),
                 ("idempotency_token", member.get("idempotencyToken")), ("event_payload", member.get("eventpayload")),
                 ("event_header", member.get("eventheader")), ("host_label", member.get("hostLabel")),
                 ("json_value", member.get("jsonvalue")))
        fields += [f".{flag} = true" for flag, is_set in flags if is_set]
        namespace = member.get("xmlNamespace") or target.get("xmlNamespace")
        if namespace:
            fields.append(f".xml_namespace = {quote(namespace if isinstance(namespace, str) else namespace['uri'])}")
        return "{" + ", ".join(fields) + "}"

    def struct_shape(self, name):
        shape = self.shapes[name]
        kind = "kUnion" if shape.get("union") or shape.get("eventstream") else "kStructure"
        fields = [f".name = {quote(name)}", f".kind = Kind::{kind}", f".size = sizeof({self.cpp[name]})"]
        if shape.get("members"):
            fields += [f".members = k_{self.cpp[name]}_members", f".member_count = {len(shape['members'])}"]
        if shape.get("eventstream"):
            fields.append(".event_stream = true")
        if shape.get("sensitive"):
            fields.append(".sensitive = true")
        if shape.get("exception") or "error" in shape:
            fields.append(".is_error = true")
        namespace, xml_name = shape.get("xmlNamespace"), shape.get("locationName")
        for operation in self.operations.values():
            if operation.get("input", {}).get("shape") == name:
                namespace = namespace or operation["input"].get("xmlNamespace")
                xml_name = xml_name or operation["input"].get("locationName")
        if namespace:
            fields.append(f".xml_namespace = {quote(namespace if isinstance(namespace, str) else namespace['uri'])}")
        if xml_name:
            fields.append(f".xml_name = {quote(xml_name)}")
        return f"const ::reef::aws::Shape k{self.cpp[name]}Shape{{{', '.join(fields)}}};"

    def protocol_names(self):
        metadata = self.model["metadata"]
        names = []
        for protocol in metadata.get("protocols") or [metadata["protocol"]]:
            names.append("json" + metadata.get("jsonVersion", "1.0") if protocol == "json" else protocol)
        if metadata.get("awsQueryCompatible") is not None and "query" not in names:
            names.append("query")
        return names

    def operation_table(self):
        rows, index = [], []
        every = sorted([(name, True) for name in self.operations] + [(other[0], False) for other in self.model["others"]])
        others = {other[0]: other for other in self.model["others"]}
        for position, (name, served) in enumerate(every):
            if not served:
                _, method, uri = others[name]
                rows.append(f"    {{.name = {quote(name)}, .method = {quote(method)}, .uri = {quote(uri)}}},")
                continue
            operation = self.operations[name]
            shape = lambda part, suffix: self.cpp[operation[part]["shape"]] if part in operation else pascal(name) + suffix
            fields = [f".name = {quote(name)}", f".method = {quote(operation['http']['method'])}",
                      f".uri = {quote(operation['http']['requestUri'])}",
                      f".input = &k{shape('input', 'Input')}Shape", f".output = &k{shape('output', 'Output')}Shape"]
            wrapper = operation.get("output", {}).get("resultWrapper")
            if wrapper is None and "query" in self.protocol_names() and "output" in operation:
                wrapper = name + "Result"
            if self.service == "s3":
                wrapper = S3_ROOTS.get(name)
            if wrapper:
                fields.append(f".result_wrapper = {quote(wrapper)}")
            fields.append(f".status = {operation['http'].get('responseCode', 200)}")
            if operation.get("authtype") == "none":
                fields.append(".unsigned_auth = true")
            if operation.get("unsignedPayload") or operation.get("authtype") == "v4-unsigned-body":
                fields.append(".unsigned_payload = true")
            if "endpoint" in operation and "hostPrefix" in operation["endpoint"]:
                fields.append(f".host_prefix = {quote(operation['endpoint']['hostPrefix'])}")
            checksum = operation.get("httpChecksum", {})
            if operation.get("httpChecksumRequired") or checksum.get("requestChecksumRequired"):
                fields.append(".checksum_required = true")
            fields.append(".is_served = true")
            index.append(f"const ::reef::aws::OperationModel& k{pascal(name)} = k_operations[{position}];")
            rows.append("    {" + ", ".join(fields) + "},")
        self.operation_count = len(every)
        return (["namespace {", "const ::reef::aws::OperationModel k_operations[] = {"] + rows + ["};", "}  // namespace", "namespace ops {"]
                + index + ["}  // namespace ops"])

    def error_table(self):
        rows, index = [], []
        compatible = self.model["metadata"].get("awsQueryCompatible") is not None
        for position, name in enumerate(self.errors()):
            shape = self.shapes[name]
            error = shape.get("error", {})
            sender = error.get("senderFault", not shape.get("fault", False) and error.get("httpStatusCode", 400) < 500)
            status = error.get("httpStatusCode", 400 if sender else 500)
            code, query = error.get("code", name), "nullptr"
            if compatible:
                query = quote(code) if code != name else "nullptr"
                code = name
            extra = [m for m in shape.get("members", {}) if m.lower() != "message"]
            rows.append(f"    {{{quote(code)}, {quote(name)}, {status}, {'true' if sender else 'false'}, {query}, "
                        f"{'&k' + self.cpp[name] + 'Shape' if extra else 'nullptr'}}},")
            index.append(f"const ::reef::aws::ErrorShape& k{pascal(name)} = k_errors[{position}];")
        if not rows:
            rows = ['    {"", "", 400, true, nullptr, nullptr},']
        return (["namespace {", "const ::reef::aws::ErrorShape k_errors[] = {"] + rows + ["};", "}  // namespace", "namespace errors {"]
                + index + ["}  // namespace errors"])

    def service_table(self):
        metadata = self.model["metadata"]
        text = lambda key: quote(metadata[key]) if key in metadata else "nullptr"
        namespace = metadata.get("xmlNamespace")
        if isinstance(namespace, dict):
            namespace = namespace["uri"]
        if namespace is None and "query" in self.protocol_names():
            namespace = f"http://queue.amazonaws.com/doc/{metadata['apiVersion']}/" if self.service == "sqs" else None
        if self.service == "s3":
            namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        protocols = ", ".join(f"Protocol::{PROTOCOLS[name]}" for name in self.protocol_names())
        fields = [f".name = {quote(self.service)}", f".id = {text('serviceId')}",
                  f".signing_name = {quote(metadata.get('signingName', metadata['endpointPrefix']))}",
                  f".endpoint_prefix = {text('endpointPrefix')}", f".target_prefix = {text('targetPrefix')}",
                  f".api_version = {text('apiVersion')}", f".xml_namespace = {quote(namespace) if namespace else 'nullptr'}",
                  f".shape_id = {quote(metadata.get('targetPrefix', metadata['serviceId'].replace(' ', '')))}",
                  ".protocols = k_protocols", f".protocol_count = {len(self.protocol_names())}",
                  f".query_compatible = {'true' if metadata.get('awsQueryCompatible') is not None else 'false'}",
                  f".operations = k_operations, .operation_count = {self.operation_count}",
                  f".errors = k_errors, .error_count = {len(self.errors())}"]
        return ["namespace {", f"const Protocol k_protocols[] = {{{protocols}}};", "}  // namespace",
                "const ::reef::aws::ServiceModel kModel{" + ",\n    ".join(fields) + "};"]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    generator = Generator(sys.argv[1])
    for path, text in ((sys.argv[2], generator.header()), (sys.argv[3], generator.source())):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_text(text)


if __name__ == "__main__":
    main()
