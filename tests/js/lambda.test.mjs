// Lambda through the SDK, with functions on Node.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import {
  CreateAliasCommand, CreateFunctionCommand, CreateFunctionUrlConfigCommand, AddPermissionCommand, DeleteFunctionCommand, GetFunctionCommand,
  InvokeCommand, InvokeWithResponseStreamCommand, LambdaClient, PublishVersionCommand, UpdateFunctionCodeCommand, UpdateFunctionConfigurationCommand,
  paginateListFunctions, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({ maxAttempts: 1 });
const send = (command) => lambda.send(command);
const made = new Set();

// An archive of one stored file.
function zip(name, text) {
  const data = Buffer.from(text);
  const entry = Buffer.alloc(26); // what the local header and the directory share
  entry.writeUInt16LE(20, 0);
  entry.writeUInt32LE(crc32(data), 10);
  entry.writeUInt32LE(data.length, 14);
  entry.writeUInt32LE(data.length, 18);
  entry.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), entry, Buffer.from(name), data]);
  const more = Buffer.alloc(14);
  more.writeUInt32LE((0o100644 << 16) >>> 0, 6);
  const directory = Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), entry, more, Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, directory, Buffer.from("PK\x05\x06"), end]);
}

async function make(FunctionName, code, more = {}) {
  const ZipFile = zip("index.mjs", code);
  const created = await send(new CreateFunctionCommand({ FunctionName, Runtime: "nodejs20.x", Handler: "index.handler",
    Role: "arn:aws:iam::000000000000:role/js", Code: { ZipFile }, ...more }));
  made.add(FunctionName);
  assert.equal(created.CodeSha256, createHash("sha256").update(ZipFile).digest("base64"));
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { FunctionName });
}

async function invoke(FunctionName, payload, more = {}) {
  const reply = await send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload), ...more }));
  const text = reply.Payload?.transformToString() ?? "";
  return { ...reply, value: text === "" ? undefined : JSON.parse(text) };
}

after(async () => { for (const FunctionName of made) await send(new DeleteFunctionCommand({ FunctionName })); lambda.destroy(); });

test("a function is made, invoked and its log's end returned", async () => {
  await make("js-echo", `export const handler = async (event, context) => {
    console.log("hello from", context.functionName);
    return { event, name: context.functionName, env: process.env.COLOUR, region: process.env.AWS_REGION };
  };`, { Environment: { Variables: { COLOUR: "blue" } } });
  const reply = await invoke("js-echo", { a: "ü" }, { LogType: "Tail" });
  assert.equal(reply.StatusCode, 200);
  assert.equal(reply.FunctionError, undefined);
  assert.equal(reply.ExecutedVersion, "$LATEST");
  assert.deepEqual(reply.value, { event: { a: "ü" }, name: "js-echo", env: "blue", region: "us-east-1" });
  const log = Buffer.from(reply.LogResult, "base64").toString();
  assert.match(log, /^START RequestId: /);
  assert.match(log, /hello from js-echo/);
  assert.match(log, /REPORT RequestId: .*Billed Duration: \d+ ms/);
});

test("an error thrown is the function's, not the call's", async () => {
  await make("js-throws", `export const handler = async () => { throw new TypeError("no good"); };`);
  const reply = await invoke("js-throws", {});
  assert.equal(reply.StatusCode, 200);
  assert.equal(reply.FunctionError, "Unhandled");
  assert.equal(reply.value.errorType, "TypeError");
  assert.equal(reply.value.errorMessage, "no good");
  assert.ok(Array.isArray(reply.value.trace));
});

test("a function that takes too long is ended", async () => {
  await make("js-slow", `export const handler = () => new Promise(() => setTimeout(() => {}, 60000));`, { Timeout: 1 });
  const reply = await invoke("js-slow", {});
  assert.equal(reply.FunctionError, "Unhandled");
  assert.match(reply.value.errorMessage, /Task timed out after 1\.00 seconds/);
});

test("an event and a dry run answer without a result", async () => {
  const event = await invoke("js-echo", {}, { InvocationType: "Event" });
  assert.equal(event.StatusCode, 202);
  assert.equal(event.value, undefined);
  assert.equal((await invoke("js-echo", {}, { InvocationType: "DryRun" })).StatusCode, 204);
});

test("a streamed answer arrives in pieces and ends with InvokeComplete", async () => {
  await make("js-stream", `export const handler = awslambda.streamifyResponse(async (event, out) => {
    for (let i = 0; i < event.count; i++) { out.write("piece " + i + "\\n"); await new Promise((done) => setTimeout(done, 60)); }
    if (event.fail) throw new RangeError("halfway");
    out.end();
  });`);
  const read = async (event) => {
    const reply = await send(new InvokeWithResponseStreamCommand({ FunctionName: "js-stream", Payload: JSON.stringify(event), LogType: "Tail" }));
    assert.equal(reply.StatusCode, 200);
    const pieces = [];
    let complete;
    for await (const one of reply.EventStream) {
      if (one.PayloadChunk) pieces.push(Buffer.from(one.PayloadChunk.Payload).toString());
      if (one.InvokeComplete) complete = one.InvokeComplete;
    }
    return { pieces, complete };
  };
  const good = await read({ count: 5 });
  assert.equal(good.pieces.join(""), [0, 1, 2, 3, 4].map((i) => `piece ${i}\n`).join(""));
  assert.ok(good.pieces.length > 1, "all came at once");
  assert.equal(good.complete.ErrorCode, undefined);
  assert.match(Buffer.from(good.complete.LogResult, "base64").toString(), /REPORT RequestId/);
  const bad = await read({ count: 1, fail: true });
  assert.ok(bad.complete.ErrorCode);
  assert.match(bad.complete.ErrorDetails, /halfway/);
});

test("a function URL answers anyone allowed", async () => {
  await make("js-url", `export const handler = async (event) => ({ statusCode: 201, headers: { "x-way": event.requestContext.http.method },
    cookies: ["a=1"], body: JSON.stringify({ path: event.rawPath, query: event.queryStringParameters }) });`);
  const { FunctionUrl } = await send(new CreateFunctionUrlConfigCommand({ FunctionName: "js-url", AuthType: "NONE" }));
  await send(new AddPermissionCommand({ FunctionName: "js-url", StatementId: "url", Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: "NONE" }));
  await send(new AddPermissionCommand({ FunctionName: "js-url", StatementId: "invoke", Action: "lambda:InvokeFunction", Principal: "*", InvokedViaFunctionUrl: true }));
  // The name is given as the Host header, so that no resolver has to know it.
  const { host } = new URL(FunctionUrl);
  const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL);
  const reply = await new Promise((resolve, reject) => request(
    { host: hostname, port, method: "POST", path: "/some/path?q=1", headers: { host } }, resolve).on("error", reject).end("x"));
  const text = Buffer.concat(await reply.toArray()).toString();
  assert.equal(reply.statusCode, 201, text);
  assert.equal(reply.headers["x-way"], "POST");
  assert.deepEqual(reply.headers["set-cookie"], ["a=1"]);
  assert.deepEqual(JSON.parse(text), { path: "/some/path", query: { q: "1" } });
});

test("new code, versions and aliases", async () => {
  const FunctionName = "js-versions";
  const code = (value) => `export const handler = async () => "${value}";`;
  await make(FunctionName, code("one"));
  const { Version } = await send(new PublishVersionCommand({ FunctionName }));
  assert.equal(Version, "1");
  await send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  await send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: zip("index.mjs", code("two")) }));
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { FunctionName });
  await send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }));
  assert.equal((await invoke(FunctionName, {})).value, "two");
  const aliased = await invoke(FunctionName, {}, { Qualifier: "live" });
  assert.equal(aliased.value, "one");
  assert.equal(aliased.ExecutedVersion, "1");
  const got = await send(new GetFunctionCommand({ FunctionName }));
  assert.equal(got.Configuration.MemorySize, 256);
  assert.equal((await fetch(got.Code.Location)).status, 200);
});

test("errors carry AWS's names, and functions come in pages", async () => {
  await assert.rejects(invoke("js-no-such", {}), (error) => {
    assert.equal(error.name, "ResourceNotFoundException");
    assert.equal(error.message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:js-no-such");
    assert.equal(error.$metadata.httpStatusCode, 404);
    return true;
  });
  await assert.rejects(send(new InvokeCommand({ FunctionName: "js-echo", Payload: "{not json" })), { name: "InvalidRequestContentException" });
  await assert.rejects(make("js-echo", "export const handler = 1;"), { name: "ResourceConflictException" });
  const names = [];
  for await (const page of paginateListFunctions({ client: lambda, pageSize: 2 }, {})) names.push(...page.Functions.map((one) => one.FunctionName));
  for (const name of made) assert.ok(names.includes(name), name);
});
