// S3 through the SDK: its default CRC32 checksums, aws-chunked bodies with trailers, and presigned URLs.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CopyObjectCommand, CreateBucketCommand, CreateMultipartUploadCommand,
  DeleteBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectAttributesCommand, GetObjectCommand, GetObjectTaggingCommand,
  HeadBucketCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand, ListObjectVersionsCommand, PutBucketVersioningCommand,
  PutObjectCommand, S3Client, UploadPartCommand, UploadPartCopyCommand, paginateListObjectsV2, waitUntilObjectExists,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const s3 = new S3Client({ maxAttempts: 1 });
const send = (command) => s3.send(command);
const Bucket = "js-objects";
const crc = (bytes) => { const four = Buffer.alloc(4); four.writeUInt32BE(crc32(bytes)); return four.toString("base64"); };
const put = (Key, Body, more) => send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Key, more) => send(new GetObjectCommand({ Bucket, Key, ...more }));

async function empty(bucket) {
  const { Versions = [], DeleteMarkers = [] } = await send(new ListObjectVersionsCommand({ Bucket: bucket }));
  for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) await send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
  await send(new DeleteBucketCommand({ Bucket: bucket }));
}

before(async () => { await send(new CreateBucketCommand({ Bucket })); });
after(async () => { await empty(Bucket); s3.destroy(); });

test("an object comes back with the checksum the SDK sent", async () => {
  const body = "grüße \u{1F30A}";
  const sent = await put("dir/a b+ü.txt", body, { ContentType: "text/plain", Metadata: { colour: "blue", "with-dash": "a  b" }, CacheControl: "no-store" });
  assert.equal(sent.ChecksumCRC32, crc(Buffer.from(body)));
  assert.equal(sent.ETag, `"${createHash("md5").update(body).digest("hex")}"`);
  const got = await get("dir/a b+ü.txt");
  assert.equal(got.ChecksumCRC32, sent.ChecksumCRC32);
  assert.equal(got.ChecksumType, "FULL_OBJECT");
  assert.equal(await got.Body.transformToString(), body);
  assert.equal(got.ContentType, "text/plain");
  assert.deepEqual(got.Metadata, { colour: "blue", "with-dash": "a  b" });
  assert.equal(got.CacheControl, "no-store");
  assert.ok(Math.abs(Date.now() - got.LastModified) < 600_000);
});

test("a wrong checksum is refused and nothing is kept", async () => {
  await assert.rejects(put("wrong", "hello", { ChecksumCRC32: crc(Buffer.from("other")) }), (error) => {
    assert.equal(error.name, "BadDigest");
    assert.equal(error.$metadata.httpStatusCode, 400);
    return true;
  });
  await assert.rejects(put("wrong", "hello", { ContentMD5: createHash("md5").update("other").digest("base64") }), { name: "BadDigest" });
  await assert.rejects(get("wrong"), { name: "NoSuchKey" });
});

test("a stream is sent in chunks with a trailing checksum", async () => {
  const bytes = randomBytes(3_000_000);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 70_001) pieces.push(bytes.subarray(at, at + 70_001));
  const sent = await put("stream", Readable.from(pieces), { ContentLength: bytes.length });
  assert.equal(sent.ChecksumCRC32, crc(bytes));
  const got = await get("stream");
  assert.equal(got.ContentEncoding, undefined);
  assert.equal(got.ContentLength, bytes.length);
  assert.ok(bytes.equals(Buffer.from(await got.Body.transformToByteArray())));
});

test("every checksum the SDK can make is checked and kept", async () => {
  for (const ChecksumAlgorithm of ["SHA1", "SHA256", "CRC32", "CRC32C", "CRC64NVME"]) {
    const sent = await put(`sum-${ChecksumAlgorithm}`, Readable.from([Buffer.from("123456789")]), { ContentLength: 9, ChecksumAlgorithm }).catch((error) => {
      // CRC64NVME needs a package the SDK leaves out.
      if (ChecksumAlgorithm === "CRC64NVME" && /CRT|crc64/i.test(error.message)) return undefined;
      throw error;
    });
    if (sent === undefined) continue;
    const head = await send(new HeadObjectCommand({ Bucket, Key: `sum-${ChecksumAlgorithm}`, ChecksumMode: "ENABLED" }));
    const known = { CRC32: "y/Q5Jg==", CRC32C: "4waSgw==", CRC64NVME: "rosUhgp5mIg=",
      SHA1: createHash("sha1").update("123456789").digest("base64"), SHA256: createHash("sha256").update("123456789").digest("base64") };
    assert.equal(sent[`Checksum${ChecksumAlgorithm}`], known[ChecksumAlgorithm]);
    assert.equal(head[`Checksum${ChecksumAlgorithm}`], known[ChecksumAlgorithm]);
    assert.equal(await (await get(`sum-${ChecksumAlgorithm}`)).Body.transformToString(), "123456789");
  }
});

test("a range and conditions", async () => {
  const { ETag } = await put("range", "0123456789");
  const part = await get("range", { Range: "bytes=2-5" });
  assert.equal(part.ContentRange, "bytes 2-5/10");
  assert.equal(part.$metadata.httpStatusCode, 206);
  assert.equal(await part.Body.transformToString(), "2345");
  assert.equal(await (await get("range", { Range: "bytes=-3" })).Body.transformToString(), "789");
  await assert.rejects(get("range", { Range: "bytes=20-30" }), { name: "InvalidRange" });
  await assert.rejects(get("range", { IfNoneMatch: ETag }), (error) => error.$metadata.httpStatusCode === 304);
  await assert.rejects(get("range", { IfMatch: '"0"' }), { name: "PreconditionFailed" });
  await assert.rejects(put("range", "x", { IfNoneMatch: "*" }), { name: "PreconditionFailed" });
  await put("range", "abc", { IfMatch: ETag });
  await assert.rejects(put("range", "x", { IfMatch: ETag }), { name: "PreconditionFailed" });
});

test("a multipart upload is one object with parts", async () => {
  const Key = "multipart";
  const first = randomBytes(5 * 1024 * 1024);
  const { UploadId, ChecksumAlgorithm } = await send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "application/x-parts", ChecksumAlgorithm: "CRC32" }));
  assert.equal(ChecksumAlgorithm, "CRC32");
  const Parts = [];
  const part = async (PartNumber, Body) => {
    const { ETag, ChecksumCRC32 } = await send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    assert.equal(ChecksumCRC32, crc(Body));
    Parts.push({ ETag, ChecksumCRC32, PartNumber });
  };
  await part(1, first);
  await part(2, Buffer.from("the end"));
  const listed = [];
  for (let PartNumberMarker, more = true; more;) {
    const page = await send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1, PartNumberMarker }));
    listed.push(...page.Parts);
    [PartNumberMarker, more] = [page.NextPartNumberMarker, page.IsTruncated];
  }
  assert.deepEqual(listed.map((one) => [one.PartNumber, one.Size]), [[1, first.length], [2, 7]]);
  const done = await send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  assert.match(done.ETag, /^"[0-9a-f]{32}-2"$/);
  assert.match(done.ChecksumCRC32, /-2$/);
  assert.equal(done.ChecksumType, "COMPOSITE");
  const got = await get(Key);
  assert.equal(got.ContentType, "application/x-parts");
  assert.ok(Buffer.concat([first, Buffer.from("the end")]).equals(Buffer.from(await got.Body.transformToByteArray())));
  const second = await get(Key, { PartNumber: 2 });
  assert.equal(second.PartsCount, 2);
  assert.equal(await second.Body.transformToString(), "the end");
  const attributes = await send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ["ObjectParts", "ObjectSize", "Checksum"] }));
  assert.equal(attributes.ObjectParts.TotalPartsCount, 2);
  assert.equal(attributes.ObjectSize, first.length + 7);
});

test("a multipart upload copies, refuses and is abandoned", async () => {
  const Key = "multipart-errors";
  await put("source", "0123456789");
  const { UploadId } = await send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const copied = await send(new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber: 1, CopySource: `${Bucket}/source`, CopySourceRange: "bytes=0-3" }));
  const last = await send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 2, Body: "end" }));
  const complete = (...Parts) => send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const one = { PartNumber: 1, ETag: copied.CopyPartResult.ETag };
  const two = { PartNumber: 2, ETag: last.ETag };
  // The upload was begun without an algorithm: parts are then known by their tags alone.
  await assert.rejects(complete(one, { ...two, ChecksumCRC32: last.ChecksumCRC32 }), { name: "InvalidPart" });
  await assert.rejects(complete(one, two), { name: "EntityTooSmall" });
  await assert.rejects(complete(two, one), { name: "InvalidPartOrder" });
  await assert.rejects(complete({ PartNumber: 7, ETag: '"0"' }), { name: "InvalidPart" });
  const open = await send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
  assert.equal(open.Uploads[0].UploadId, UploadId);
  await send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  await assert.rejects(complete(one), { name: "NoSuchUpload" });
});

test("listing pages, prefixes and delimiters", async () => {
  for (const key of ["list/a", "list/b/1", "list/b/2", "list/c", "list/ü &<>"]) await put(key, key);
  const keys = [];
  const prefixes = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket, Prefix: "list/", Delimiter: "/" })) {
    keys.push(...(page.Contents ?? []).map((one) => one.Key));
    prefixes.push(...(page.CommonPrefixes ?? []).map((one) => one.Prefix));
  }
  assert.deepEqual(keys, ["list/a", "list/c", "list/ü &<>"]);
  assert.deepEqual(prefixes, ["list/b/"]);
  const deleted = await send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
  assert.deepEqual(deleted.Deleted.map((one) => one.Key).sort(), [...keys].sort());
  assert.equal((await send(new ListObjectsV2Command({ Bucket, Prefix: "list/" }))).KeyCount, 2);
});

test("a presigned URL reads and writes without credentials", async () => {
  const write = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "signed/a b", ContentType: "text/x-signed" }), { expiresIn: 300 });
  const stored = await fetch(write, { method: "PUT", body: "by url", headers: { "content-type": "text/x-signed" } });
  assert.equal(stored.status, 200, await stored.text());
  const read = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "signed/a b", ResponseContentDisposition: 'attachment; filename="x"' }), { expiresIn: 300 });
  const got = await fetch(read);
  assert.equal(got.status, 200);
  assert.equal(got.headers.get("content-type"), "text/x-signed");
  assert.equal(got.headers.get("content-disposition"), 'attachment; filename="x"');
  assert.equal(await got.text(), "by url");
  const forged = await fetch(read.replace("a%20b", "other"));
  assert.equal(forged.status, 403);
  assert.match(await forged.text(), /<Code>SignatureDoesNotMatch<\/Code>/);
  const old = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "signed/a b" }), { expiresIn: 60, signingDate: new Date(Date.now() - 3_600_000) });
  const late = await fetch(old);
  assert.equal(late.status, 403);
  assert.match(await late.text(), /<Code>AccessDenied<\/Code><Message>Request has expired<\/Message>/);
});

test("a bucket is also named by the host", async () => {
  await put("by/host", "found");
  const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL);
  const signed = new URL(await getSignedUrl(new S3Client({ endpoint: `http://s3.us-east-1.localhost:${port}` }), new GetObjectCommand({ Bucket, Key: "by/host" })));
  assert.equal(signed.hostname, `${Bucket}.s3.us-east-1.localhost`);
  const reply = await new Promise((resolve, reject) => request(
    { host: hostname, port, path: signed.pathname + signed.search, headers: { host: signed.host } }, resolve).on("error", reject).end());
  const text = Buffer.concat(await reply.toArray()).toString();
  assert.equal(reply.statusCode, 200, text);
  assert.equal(text, "found");
});

test("copies, tags and versions", async () => {
  await send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const one = await put("versioned", "1", { Tagging: "k=v&k2=v%202" });
  const two = await put("versioned", "2");
  assert.notEqual(one.VersionId, two.VersionId);
  const tags = await send(new GetObjectTaggingCommand({ Bucket, Key: "versioned", VersionId: one.VersionId }));
  assert.deepEqual(tags.TagSet, [{ Key: "k", Value: "v" }, { Key: "k2", Value: "v 2" }]);
  const gone = await send(new DeleteObjectCommand({ Bucket, Key: "versioned" }));
  assert.equal(gone.DeleteMarker, true);
  await assert.rejects(get("versioned"), (error) => error.name === "NoSuchKey");
  assert.equal(await (await get("versioned", { VersionId: one.VersionId })).Body.transformToString(), "1");
  const copied = await send(new CopyObjectCommand({ Bucket, Key: "cöpy", CopySource: `${Bucket}/versioned?versionId=${one.VersionId}` }));
  assert.match(copied.CopyObjectResult.ETag, /^"[0-9a-f]{32}"$/);
  await waitUntilObjectExists({ client: s3, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { Bucket, Key: "cöpy" });
  await send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
});

test("errors carry AWS's names", async () => {
  await assert.rejects(get("nothing"), (error) => {
    assert.equal(error.name, "NoSuchKey");
    assert.equal(error.message, "The specified key does not exist.");
    assert.equal(error.Key, "nothing");
    assert.ok(error.$metadata.requestId);
    return true;
  });
  await assert.rejects(send(new HeadObjectCommand({ Bucket, Key: "nothing" })), { name: "NotFound" });
  await assert.rejects(send(new HeadBucketCommand({ Bucket: "js-no-such" })), { name: "NotFound" });
  await assert.rejects(send(new ListObjectsV2Command({ Bucket: "js-no-such" })), { name: "NoSuchBucket" });
  await assert.rejects(send(new DeleteBucketCommand({ Bucket })), { name: "BucketNotEmpty" });
  await assert.rejects(send(new CreateBucketCommand({ Bucket: "UPPER" })), { name: "InvalidBucketName" });
});

test("a listing asked to be URL encoded writes a space as a plus", async () => {
  await put("encoded/ü &+", "x");
  const encoded = await send(new ListObjectsV2Command({ Bucket, Prefix: "encoded/", EncodingType: "url" }));
  assert.equal(encoded.Contents[0].Key, "encoded/%C3%BC+%26%2B");
});

test("an answer has both request ids", async () => {
  const { $metadata } = await put("ids", "x");
  assert.ok($metadata.requestId && $metadata.extendedRequestId);
});
