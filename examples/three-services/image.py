#!/usr/bin/env python3
"""Writes an OCI image archive from files: one layer, one configuration, the same bytes for the same input.

    image.py --output service1.tar --file build/service1=/service1 --entrypoint /service1 --name service1:v1
"""
import argparse
import gzip
import hashlib
import io
import json
import pathlib
import platform
import tarfile


def layer_of(files):
    """A tar of `files`: (bytes, path in the image, mode)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folders = set()
        for data, target, mode in files:
            target = target.strip("/")
            for folder in reversed([str(p) for p in pathlib.PurePosixPath(target).parents][:-1]):
                if folder not in folders:
                    folders.add(folder)
                    entry = tarfile.TarInfo(folder)
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(entry)
            entry = tarfile.TarInfo(target)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def image(files, config, name=None):
    """The bytes of an OCI archive."""
    blobs = {}

    def keep(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    plain = layer_of(files)
    layer = keep(gzip.compress(plain, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    configuration = keep(json.dumps({"os": "linux", "architecture": architecture, "config": config,
                                     "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]}}).encode(),
                         "application/vnd.oci.image.config.v1+json")
    manifest = keep(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": configuration,
                                "layers": [layer]}).encode(), "application/vnd.oci.image.manifest.v1+json")
    if name:
        manifest["annotations"] = {"org.opencontainers.image.ref.name": name}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        def add(path, data):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())
        for digest, data in blobs.items():
            add("blobs/sha256/" + digest, data)
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--file", action="append", default=[], metavar="HERE=THERE")
    parser.add_argument("--entrypoint", nargs="+")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--port", type=int)
    parser.add_argument("--user", default="")
    parser.add_argument("--name")
    given = parser.parse_args()
    files = []
    for pair in given.file:
        here, there = pair.split("=", 1)
        path = pathlib.Path(here)
        files.append((path.read_bytes(), there, 0o755 if path.stat().st_mode & 0o111 else 0o644))
    config = {"Entrypoint": given.entrypoint, "Env": given.env, "User": given.user, "WorkingDir": "/"}
    if given.port:
        config["ExposedPorts"] = {f"{given.port}/tcp": {}}
    pathlib.Path(given.output).write_bytes(image(files, config, given.name))


if __name__ == "__main__":
    main()
