// SQS through the SDK, which itself checks the MD5 of every message it sends and receives.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import {
  ChangeMessageVisibilityBatchCommand, ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand,
  DeleteMessageCommand, DeleteQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, ListQueueTagsCommand,
  ListQueuesCommand, PurgeQueueCommand, ReceiveMessageCommand, SQSClient, SendMessageBatchCommand, SendMessageCommand,
  SetQueueAttributesCommand, TagQueueCommand, paginateListQueues,
} from "@aws-sdk/client-sqs";

const sqs = new SQSClient({ maxAttempts: 1 });
const send = (command) => sqs.send(command);
const md5 = (text) => createHash("md5").update(text).digest("hex");
const made = [];
let url;

async function queue(name, attributes = {}) {
  const { QueueUrl } = await send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  made.push(QueueUrl);
  return QueueUrl;
}

before(async () => { url = await queue("js-main"); });
after(async () => { for (const one of made) await send(new DeleteQueueCommand({ QueueUrl: one })); sqs.destroy(); });

test("a message keeps its body and attributes, and their MD5s hold", async () => {
  const body = "grüße \u{1F30A} <&> \t";
  const attributes = {
    text: { DataType: "String", StringValue: "välue" },
    count: { DataType: "Number.int", StringValue: "42" },
    bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 1, 254, 255]) },
  };
  const sent = await send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, MessageAttributes: attributes }));
  assert.equal(sent.MD5OfMessageBody, md5(body));
  assert.match(sent.MD5OfMessageAttributes, /^[0-9a-f]{32}$/);
  const got = await send(new ReceiveMessageCommand({
    QueueUrl: url, MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"], WaitTimeSeconds: 2 }));
  const [message] = got.Messages;
  assert.equal(message.Body, body);
  assert.equal(message.MessageId, sent.MessageId);
  assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
  assert.equal(message.MessageAttributes.count.StringValue, "42");
  assert.deepEqual([...message.MessageAttributes.bytes.BinaryValue], [0, 1, 254, 255]);
  assert.equal(message.Attributes.ApproximateReceiveCount, "1");
  assert.match(message.Attributes.SentTimestamp, /^\d{13}$/);
  await send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));
});

test("a batch says of each entry what became of it", async () => {
  const one = await queue("js-batch");
  const reply = await send(new SendMessageBatchCommand({ QueueUrl: one, Entries: [
    { Id: "a", MessageBody: "first" },
    { Id: "b", MessageBody: "late", DelaySeconds: 901 },
    { Id: "c", MessageBody: "third", MessageAttributes: { k: { DataType: "String", StringValue: "v" } } },
  ] }));
  assert.deepEqual(reply.Successful.map((entry) => entry.Id), ["a", "c"]);
  assert.equal(reply.Successful[0].MD5OfMessageBody, md5("first"));
  assert.equal(reply.Failed[0].Id, "b");
  assert.equal(reply.Failed[0].SenderFault, true);
  assert.equal(reply.Failed[0].Code, "InvalidParameterValue");
  const messages = [];
  while (messages.length < 2) {
    messages.push(...(await send(new ReceiveMessageCommand({ QueueUrl: one, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }))).Messages);
  }
  const changed = await send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: one, Entries:
    messages.map((message, i) => ({ Id: `v${i}`, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 60 })) }));
  assert.equal(changed.Successful.length, 2);
  const deleted = await send(new DeleteMessageBatchCommand({ QueueUrl: one, Entries: [
    ...messages.map((message, i) => ({ Id: `m${i}`, ReceiptHandle: message.ReceiptHandle })), { Id: "bad", ReceiptHandle: "nonsense" }] }));
  assert.deepEqual(deleted.Successful.map((entry) => entry.Id), ["m0", "m1"]);
  assert.equal(deleted.Failed[0].Code, "ReceiptHandleIsInvalid");
});

test("a batch that is wrong as a whole is refused by name", async () => {
  const entries = (...ids) => ids.map((Id) => ({ Id, MessageBody: "x" }));
  const refused = (Entries, name) => assert.rejects(send(new SendMessageBatchCommand({ QueueUrl: url, Entries })), { name });
  await refused([], "EmptyBatchRequest");
  await refused(entries("a", "a"), "BatchEntryIdsNotDistinct");
  await refused(entries("a b"), "InvalidBatchEntryId");
  await refused(entries(..."abcdefghijk"), "TooManyEntriesInBatchRequest");
  const big = "x".repeat(600_000);
  await refused([{ Id: "a", MessageBody: big }, { Id: "b", MessageBody: big }], "BatchRequestTooLong");
});

test("a long poll ends when a message arrives", async () => {
  const one = await queue("js-poll");
  const start = performance.now();
  const polled = send(new ReceiveMessageCommand({ QueueUrl: one, WaitTimeSeconds: 20 }));
  setTimeout(() => send(new SendMessageCommand({ QueueUrl: one, MessageBody: "wake" })), 200);
  const { Messages } = await polled;
  assert.equal(Messages[0].Body, "wake");
  const took = performance.now() - start;
  assert.ok(took > 150 && took < 10_000, `${took} ms`);
});

test("a long poll of an empty queue ends with nothing", async () => {
  const one = await queue("js-empty");
  const start = performance.now();
  const reply = await send(new ReceiveMessageCommand({ QueueUrl: one, WaitTimeSeconds: 1 }));
  assert.equal(reply.Messages, undefined);
  assert.ok(performance.now() - start > 900);
});

test("an abandoned long poll takes no message away", async () => {
  const one = await queue("js-abort");
  const abort = new AbortController();
  const polled = sqs.send(new ReceiveMessageCommand({ QueueUrl: one, WaitTimeSeconds: 20 }), { abortSignal: abort.signal });
  setTimeout(() => abort.abort(), 150);
  await assert.rejects(polled, { name: "AbortError" });
  await new Promise((done) => setTimeout(done, 300)); // for the closed connection to be noticed
  await send(new SendMessageCommand({ QueueUrl: one, MessageBody: "kept" }));
  const { Messages } = await send(new ReceiveMessageCommand({ QueueUrl: one, WaitTimeSeconds: 2 }));
  assert.equal(Messages[0].Body, "kept");
});

test("visibility zero gives a message back at once", async () => {
  const one = await queue("js-visibility");
  await send(new SendMessageCommand({ QueueUrl: one, MessageBody: "again" }));
  const [first] = (await send(new ReceiveMessageCommand({ QueueUrl: one, WaitTimeSeconds: 2 }))).Messages;
  await send(new ChangeMessageVisibilityCommand({ QueueUrl: one, ReceiptHandle: first.ReceiptHandle, VisibilityTimeout: 0 }));
  const [second] = (await send(new ReceiveMessageCommand({ QueueUrl: one, WaitTimeSeconds: 2, MessageSystemAttributeNames: ["ApproximateReceiveCount"] }))).Messages;
  assert.equal(second.MessageId, first.MessageId);
  assert.equal(second.Attributes.ApproximateReceiveCount, "2");
});

test("a fifo queue keeps order and drops duplicates", async () => {
  const one = await queue("js-order.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
  const sent = [];
  for (const body of ["1", "2", "2", "3"]) {
    sent.push(await send(new SendMessageCommand({ QueueUrl: one, MessageBody: body, MessageGroupId: "g" })));
  }
  assert.equal(sent[1].MessageId, sent[2].MessageId);
  assert.match(sent[3].SequenceNumber, /^\d+$/);
  const got = await send(new ReceiveMessageCommand({ QueueUrl: one, MaxNumberOfMessages: 10, WaitTimeSeconds: 2, MessageSystemAttributeNames: ["MessageGroupId"] }));
  assert.deepEqual(got.Messages.map((message) => message.Body), ["1", "2", "3"]);
  assert.equal(got.Messages[0].Attributes.MessageGroupId, "g");
  await assert.rejects(send(new SendMessageCommand({ QueueUrl: one, MessageBody: "x" })), { name: "MissingParameter" });
});

test("errors carry AWS's names", async () => {
  await assert.rejects(send(new GetQueueUrlCommand({ QueueName: "no-such" })), (error) => {
    assert.equal(error.name, "QueueDoesNotExist");
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.equal(error.$fault, "client");
    assert.match(error.message, /^The specified queue does not exist/);
    return true;
  });
  await assert.rejects(send(new SendMessageCommand({ QueueUrl: url, MessageBody: "bad \u0001" })), { name: "InvalidMessageContents" });
  await assert.rejects(send(new CreateQueueCommand({ QueueName: "js-main", Attributes: { VisibilityTimeout: "31" } })), { name: "QueueNameExists" });
  await assert.rejects(send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { NoSuch: "1" } })), { name: "InvalidAttributeName" });
  await assert.rejects(send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: "-1" } })), { name: "InvalidAttributeValue" });
  await assert.rejects(send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: "x" })), { name: "ReceiptHandleIsInvalid" });
});

test("attributes, tags, purge and pages of queues", async () => {
  const one = await queue("js-attributes", { VisibilityTimeout: "7" });
  await send(new SetQueueAttributesCommand({ QueueUrl: one, Attributes: { DelaySeconds: "0", RedrivePolicy: "" } }));
  const { Attributes } = await send(new GetQueueAttributesCommand({ QueueUrl: one, AttributeNames: ["All"] }));
  assert.equal(Attributes.VisibilityTimeout, "7");
  assert.equal(Attributes.QueueArn, "arn:aws:sqs:us-east-1:000000000000:js-attributes");
  await send(new TagQueueCommand({ QueueUrl: one, Tags: { team: "a" } }));
  assert.deepEqual((await send(new ListQueueTagsCommand({ QueueUrl: one }))).Tags, { team: "a" });
  await send(new SendMessageCommand({ QueueUrl: one, MessageBody: "gone" }));
  await send(new PurgeQueueCommand({ QueueUrl: one }));
  const urls = [];
  for await (const page of paginateListQueues({ client: sqs, pageSize: 2 }, { QueueNamePrefix: "js-" })) urls.push(...page.QueueUrls);
  assert.equal(new Set(urls).size, made.length);
  assert.ok((await send(new ListQueuesCommand({ QueueNamePrefix: "js-attr" }))).QueueUrls.includes(one));
});
