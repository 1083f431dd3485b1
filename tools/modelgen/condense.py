#!/usr/bin/env python3
"""Condenses the published botocore models into models/<service>.json: the shapes of the operations that we serve,
and only the names of the others. Documentation is dropped. See NOTICE for where the models come from.

    tools/modelgen/condense.py sqs all
    tools/modelgen/condense.py lambda CreateFunction Invoke ...
    tools/modelgen/condense.py sqs            # re-reads the model, keeps the file's own list of served operations

Needs botocore in the pinned version: pip install botocore==1.43.11 (a virtual environment will do).
"""
import gzip
import json
import pathlib
import sys

PINNED = "1.43.11"
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Services whose folder in botocore has another name than the service here.
FOLDERS = {"elasticloadbalancingv2": "elbv2", "applicationautoscaling": "application-autoscaling", "acmpca": "acm-pca", "cognitoidp": "cognito-idp", "eventbridge": "events"}
SHAPE_KEYS = ("type", "members", "required", "member", "key", "value", "enum", "min", "max", "pattern", "payload",
              "exception", "error", "fault", "flattened", "locationName", "xmlNamespace", "timestampFormat", "union",
              "document", "eventstream", "event", "sensitive", "box", "sparse", "wrapper", "xmlOrder", "retryable")
MEMBER_KEYS = ("shape", "location", "locationName", "queryName", "flattened", "streaming", "xmlAttribute",
               "xmlNamespace", "idempotencyToken", "eventpayload", "eventheader", "hostLabel", "jsonvalue",
               "timestampFormat", "box")
OPERATION_KEYS = ("http", "input", "output", "errors", "authtype", "unsignedPayload", "endpoint", "httpChecksum",
                  "httpChecksumRequired", "staticContextParams", "requestcompression")

DYNAMODB_ORDERS = {
    "ScalarAttributeType": "B N S",
    "ProjectionType": "ALL INCLUDE KEYS_ONLY",
    "ReturnValue": "ALL_NEW UPDATED_OLD ALL_OLD NONE UPDATED_NEW",
    "Select": "SPECIFIC_ATTRIBUTES COUNT ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES",
    "ConditionalOperator": "OR AND",
    "ComparisonOperator": "IN NULL BETWEEN LT NOT_CONTAINS EQ GT NOT_NULL NE LE BEGINS_WITH GE CONTAINS",
}


def load(service):
    import botocore
    if botocore.__version__ != PINNED:
        sys.exit(f"botocore {botocore.__version__} is installed, {PINNED} is pinned")
    folder = pathlib.Path(botocore.__file__).parent / "data" / FOLDERS.get(service, service)
    newest = sorted(p for p in folder.iterdir() if p.is_dir())[-1]
    plain = newest / "service-2.json"
    return json.loads(plain.read_text() if plain.exists() else gzip.open(newest / "service-2.json.gz").read())


def keep(source, keys):
    return {key: source[key] for key in keys if key in source}


def condense_shape(shape):
    out = keep(shape, SHAPE_KEYS)
    if "members" in shape:
        out["members"] = {name: keep(member, MEMBER_KEYS) for name, member in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            out[part] = keep(shape[part], MEMBER_KEYS)
    return out


def reach(shapes, name, into):
    if name in into:
        return
    into.add(name)
    shape = shapes[name]
    for member in list(shape.get("members", {}).values()) + [shape[p] for p in ("member", "key", "value") if p in shape]:
        reach(shapes, member["shape"], into)


def correct(service, shapes):
    """Where what AWS answers is known to differ from the published model."""
    if service == "dynamodb":  # its errors list the values of enumerations in an order of their own
        for name, order in DYNAMODB_ORDERS.items():
            if name in shapes and sorted(shapes[name]["enum"]) == sorted(order.split()):
                shapes[name]["enum"] = order.split()
    if service != "lambda":
        return shapes
    for shape in shapes.values():
        if "pattern" in shape:  # regions of the European sovereign cloud
            shape["pattern"] = shape["pattern"].replace("[a-z]{2}((-gov)|(-iso([a-z]?)))?", "(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?") \
                .replace("(eusc-)?(eusc-)?", "(eusc-)?").replace("))?|code-signing-config:", "))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:")
    for name, pattern in (("SubnetId", "subnet-[0-9a-z]*"), ("SecurityGroupId", "sg-[0-9a-zA-Z]*")):  # as its errors say
        if name in shapes:
            shapes[name].update({"min": 0, "max": 1024, "pattern": pattern})
    # Checked by the service, with an error of its own; it may be an ARN.
    for request in ("CreateFunctionRequest", "UpdateFunctionConfigurationRequest"):
        if request in shapes:
            shapes[request]["members"]["Runtime"]["shape"] = "String"
    return shapes


def uri_of(model, operation):
    """With the required parameters, by which alone some operations differ (S3's Get...Configuration and List...Configurations)."""
    uri = operation["http"]["requestUri"]
    shape = model["shapes"].get(operation.get("input", {}).get("shape"), {})
    required = [member.get("locationName", name) for name, member in shape.get("members", {}).items()
                if name in shape.get("required", []) and member.get("location") == "querystring"]
    fixed = [part.split("=")[0] for part in uri.partition("?")[2].split("&")]
    for name in required:
        if name not in fixed:
            uri += ("&" if "?" in uri else "?") + name
    return uri


def condense(service, served):
    model = load(service)
    names = sorted(model["operations"])
    if served == ["all"]:
        served = names
    unknown = sorted(set(served) - set(names))
    if unknown:
        sys.exit(f"{service} has no operation {', '.join(unknown)}")
    operations, others, used = {}, [], set()
    for name in names:
        operation = model["operations"][name]
        if name not in served:
            others.append([name, operation["http"]["method"], uri_of(model, operation)])
            continue
        out = keep(operation, OPERATION_KEYS)
        for part in ("input", "output"):
            if part in out:
                out[part] = keep(out[part], ("shape", "resultWrapper", "locationName", "xmlNamespace", "payload"))
                reach(model["shapes"], out[part]["shape"], used)
        out["errors"] = [error["shape"] for error in operation.get("errors", [])]
        for error in out["errors"]:
            reach(model["shapes"], error, used)
        operations[name] = out
    return model["metadata"], sorted(served), operations, others, correct(service, {n: condense_shape(model["shapes"][n]) for n in sorted(used)})


def line(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write(path, metadata, served, operations, others, shapes):
    rows = lambda items: ",\n".join(f"  {line(name)}: {line(value)}" for name, value in items)
    path.write_text("{\n" + f'"botocore": {line(PINNED)},\n"metadata": {line(metadata)},\n'
                    + '"served": [\n' + ",\n".join("  " + line(name) for name in served) + "\n],\n"
                    + '"others": [\n' + ",\n".join("  " + line(other) for other in others) + "\n],\n"
                    + '"operations": {\n' + rows(operations.items()) + "\n},\n"
                    + '"shapes": {\n' + rows(shapes.items()) + "\n}\n}\n")


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    service, served = sys.argv[1], sys.argv[2:]
    path = ROOT / "models" / f"{service}.json"
    if not served:
        served = json.loads(path.read_text())["served"]
    write(path, *condense(service, served))


if __name__ == "__main__":
    main()
