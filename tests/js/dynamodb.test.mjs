// DynamoDB through the SDK's plain client.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchGetItemCommand, BatchWriteItemCommand, CreateTableCommand, DeleteItemCommand, DeleteTableCommand, DescribeTableCommand,
  DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, TransactGetItemsCommand,
  TransactWriteItemsCommand, UpdateItemCommand, UpdateTimeToLiveCommand, paginateListTables, paginateQuery, paginateScan,
  waitUntilTableExists, waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";

const dynamodb = new DynamoDBClient({ maxAttempts: 1 });
const send = (command) => dynamodb.send(command);
const TableName = "js-items";
const S = (text) => ({ S: text });
const N = (number) => ({ N: String(number) });

before(async () => {
  await send(new CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }, { AttributeName: "sk", AttributeType: "N" }, { AttributeName: "kind", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
    GlobalSecondaryIndexes: [{ IndexName: "by-kind", KeySchema: [{ AttributeName: "kind", KeyType: "HASH" }], Projection: { ProjectionType: "ALL" } }],
  }));
  await waitUntilTableExists({ client: dynamodb, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { TableName });
});

after(async () => {
  await send(new DeleteTableCommand({ TableName }));
  await waitUntilTableNotExists({ client: dynamodb, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { TableName });
  dynamodb.destroy();
});

test("every type of value comes back as it went", async () => {
  const Item = {
    pk: S("types"), sk: N("-1.5"), text: S("ü\u{1F30A}\u0000"), empty: S(""), big: N("12345678901234567890.123456789012345678"),
    bytes: { B: new Uint8Array([0, 255, 7]) }, yes: { BOOL: true }, none: { NULL: true }, list: { L: [N(1), S("a"), { L: [] }] },
    map: { M: { a: { M: { b: N(2) } } } }, strings: { SS: ["x", "y"] }, numbers: { NS: ["1", "2.5"] }, blobs: { BS: [new Uint8Array([1]), new Uint8Array([2])] },
  };
  await send(new PutItemCommand({ TableName, Item }));
  const got = await send(new GetItemCommand({ TableName, Key: { pk: S("types"), sk: N("-1.50") }, ConsistentRead: true, ReturnConsumedCapacity: "TOTAL" }));
  const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Uint8Array ? [...v] : v instanceof Array && typeof v[0] === "string" ? [...v].sort() : v)));
  assert.deepEqual(plain(got.Item), plain(Item));
  assert.equal(got.ConsumedCapacity.CapacityUnits, 1);
});

test("an item that is not there is undefined", async () => {
  const got = await send(new GetItemCommand({ TableName, Key: { pk: S("nobody"), sk: N(0) } }));
  assert.equal(got.Item, undefined);
});

test("a failed condition has its name, and the item when asked", async () => {
  const Item = { pk: S("cond"), sk: N(1), owner: S("a") };
  const put = (more) => send(new PutItemCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(pk)", ...more }));
  await put();
  await assert.rejects(put(), (error) => {
    assert.equal(error.name, "ConditionalCheckFailedException");
    assert.equal(error.message, "The conditional request failed");
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.equal(error.Item, undefined);
    return true;
  });
  await assert.rejects(put({ ReturnValuesOnConditionCheckFailure: "ALL_OLD" }), (error) => {
    assert.deepEqual(error.Item, Item);
    return true;
  });
  await assert.rejects(send(new DeleteItemCommand({ TableName, Key: { pk: S("cond"), sk: N(1) }, ConditionExpression: "#o = :o",
    ExpressionAttributeNames: { "#o": "owner" }, ExpressionAttributeValues: { ":o": S("b") } })), { name: "ConditionalCheckFailedException" });
});

test("an update counts, appends and answers what was asked", async () => {
  const Key = { pk: S("update"), sk: N(1) };
  const update = (UpdateExpression, values, more) => send(new UpdateItemCommand({ TableName, Key, UpdateExpression, ExpressionAttributeValues: values, ...more }));
  await update("SET #l = :l, n = :one ADD tags :t", { ":l": { L: [S("a")] }, ":one": N(1), ":t": { SS: ["x"] } }, { ExpressionAttributeNames: { "#l": "list" } });
  const reply = await update("SET n = n + :n, #l = list_append(#l, :m), extra.deeper = if_not_exists(extra.deeper, :n)", { ":n": N(4), ":m": { L: [S("b")] } },
    { ExpressionAttributeNames: { "#l": "list" } }).catch((error) => error);
  assert.equal(reply.name, "ValidationException");
  assert.equal(reply.message, "The document path provided in the update expression is invalid for update");
  const done = await update("SET n = n + :n, #l = list_append(#l, :m) REMOVE tags", { ":n": N(4), ":m": { L: [S("b")] } },
    { ExpressionAttributeNames: { "#l": "list" }, ReturnValues: "ALL_NEW" });
  assert.deepEqual(done.Attributes, { ...Key, n: N(5), list: { L: [S("a"), S("b")] } });
  const old = await update("SET n = :z", { ":z": N(0) }, { ReturnValues: "UPDATED_OLD" });
  assert.deepEqual(old.Attributes, { n: N(5) });
});

test("a query pages in order, both ways, with a filter", async () => {
  const items = Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: { pk: S("query"), sk: N(i), even: { BOOL: i % 2 === 0 }, kind: S("q") } } }));
  for (let i = 0; i < 25; i += 25) {
    const reply = await send(new BatchWriteItemCommand({ RequestItems: { [TableName]: items.slice(i, i + 25) } }));
    assert.deepEqual(reply.UnprocessedItems, {});
  }
  const input = { TableName, KeyConditionExpression: "pk = :p AND sk BETWEEN :a AND :b", FilterExpression: "even = :t",
    ExpressionAttributeValues: { ":p": S("query"), ":a": N(3), ":b": N(20), ":t": { BOOL: true } }, ScanIndexForward: false };
  const seen = [];
  let pages = 0;
  for await (const page of paginateQuery({ client: dynamodb, pageSize: 5 }, input)) {
    pages += 1;
    assert.ok(page.Count <= page.ScannedCount && page.ScannedCount <= 5);
    seen.push(...page.Items.map((item) => Number(item.sk.N)));
  }
  assert.deepEqual(seen, [20, 18, 16, 14, 12, 10, 8, 6, 4]);
  assert.ok(pages >= 4);
  const index = await send(new QueryCommand({ TableName, IndexName: "by-kind", KeyConditionExpression: "kind = :k", ExpressionAttributeValues: { ":k": S("q") }, Select: "COUNT" }));
  assert.equal(index.Count, 25);
  assert.equal(index.Items, undefined);
});

test("a scan in segments sees each item once", async () => {
  const keys = [];
  for (const Segment of [0, 1]) {
    for await (const page of paginateScan({ client: dynamodb, pageSize: 4 }, { TableName, Segment, TotalSegments: 2, ProjectionExpression: "pk, sk" })) {
      keys.push(...page.Items.map((item) => `${item.pk.S}/${item.sk.N}`));
    }
  }
  assert.ok(keys.length >= 25);
  assert.equal(new Set(keys).size, keys.length);
});

test("a batch get finds what is there", async () => {
  const Keys = [0, 1, 999].map((i) => ({ pk: S("query"), sk: N(i) }));
  const reply = await send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys, ProjectionExpression: "sk" } } }));
  assert.deepEqual(reply.Responses[TableName].map((item) => item.sk.N).sort(), ["0", "1"]);
  assert.deepEqual(reply.UnprocessedKeys, {});
});

test("a cancelled transaction gives a reason for each action", async () => {
  const put = (sk, condition) => ({ Put: { TableName, Item: { pk: S("tx"), sk: N(sk), v: S("1") }, ConditionExpression: condition, ReturnValuesOnConditionCheckFailure: "ALL_OLD" } });
  await send(new TransactWriteItemsCommand({ TransactItems: [put(1), put(2)], ClientRequestToken: `t-${process.pid}-${Date.now()}` }));
  await assert.rejects(send(new TransactWriteItemsCommand({ TransactItems: [put(3), put(1, "attribute_not_exists(pk)")] })), (error) => {
    assert.equal(error.name, "TransactionCanceledException");
    assert.equal(error.message, "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]");
    assert.equal(error.CancellationReasons[0].Code, "None");
    assert.equal(error.CancellationReasons[1].Code, "ConditionalCheckFailed");
    assert.deepEqual(error.CancellationReasons[1].Item.sk, N(1));
    return true;
  });
  const got = await send(new TransactGetItemsCommand({ TransactItems: [1, 3].map((sk) => ({ Get: { TableName, Key: { pk: S("tx"), sk: N(sk) } } })) }));
  assert.equal(got.Responses[0].Item.v.S, "1");
  assert.equal(got.Responses[1].Item, undefined);
});

test("errors carry AWS's names and words", async () => {
  await assert.rejects(send(new GetItemCommand({ TableName: "no-such", Key: { pk: S("a") } })),
    { name: "ResourceNotFoundException", message: "Requested resource not found" });
  await assert.rejects(send(new DescribeTableCommand({ TableName: "no-such" })),
    { name: "ResourceNotFoundException", message: "Requested resource not found: Table: no-such not found" });
  await assert.rejects(send(new GetItemCommand({ TableName, Key: { pk: S("a") } })),
    { name: "ValidationException", message: "The provided key element does not match the schema" });
  await assert.rejects(send(new CreateTableCommand({ TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }], KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }] })),
  { name: "ResourceInUseException", message: `Table already exists: ${TableName}` });
  await assert.rejects(send(new QueryCommand({ TableName, KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": S("a"), ":q": S("b") } })),
    { name: "ValidationException", message: "Value provided in ExpressionAttributeValues unused in expressions: keys: {:q}" });
});

test("a table's description, its time to live and pages of tables", async () => {
  const { Table } = await send(new DescribeTableCommand({ TableName }));
  assert.equal(Table.TableArn, `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`);
  assert.ok(Table.CreationDateTime instanceof Date && Math.abs(Date.now() - Table.CreationDateTime) < 600_000);
  assert.equal(Table.BillingModeSummary.BillingMode, "PAY_PER_REQUEST");
  assert.equal(Table.GlobalSecondaryIndexes[0].IndexStatus, "ACTIVE");
  const ttl = await send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: "expires", Enabled: true } }));
  assert.equal(ttl.TimeToLiveSpecification.AttributeName, "expires");
  const names = [];
  for await (const page of paginateListTables({ client: dynamodb, pageSize: 1 }, {})) names.push(...page.TableNames);
  assert.ok(names.includes(TableName));
});
