'use strict';
const { randomUUID } = require('node:crypto');
const aws = require('./aws.js');

const { TABLE, QUEUE_URL, PRICING } = process.env;

const answer = (statusCode, body) => ({ statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const fromItem = (item) => ({ id: item.id.S, item: item.item.S, quantity: Number(item.quantity.N), cents: Number(item.cents.N), status: item.status.S });

async function place(event) {
  let order;
  try {
    order = JSON.parse(event.isBase64Encoded ? Buffer.from(event.body, 'base64') : event.body);
  } catch {
    return answer(400, { message: 'the body must be JSON' });
  }
  if (!order || typeof order.item !== 'string' || !Number.isInteger(order.quantity) || order.quantity < 1)
    return answer(400, { message: 'item (text) and quantity (1 or more) are required' });
  const id = randomUUID();
  const { cents } = await aws.invoke(PRICING, { item: order.item, quantity: order.quantity });
  await aws.dynamodb('PutItem', {
    TableName: TABLE,
    Item: { id: { S: id }, item: { S: order.item }, quantity: { N: String(order.quantity) }, cents: { N: String(cents) }, status: { S: 'PLACED' } },
    ConditionExpression: 'attribute_not_exists(id)',
  });
  await aws.sqs('SendMessage', { QueueUrl: QUEUE_URL, MessageBody: JSON.stringify({ id }) });
  return answer(201, { id, item: order.item, quantity: order.quantity, cents, status: 'PLACED' });
}

async function get(id) {
  const { Item } = await aws.dynamodb('GetItem', { TableName: TABLE, Key: { id: { S: id } } });
  return Item ? answer(200, fromItem(Item)) : answer(404, { message: `there is no order ${id}` });
}

async function list() {
  const { Items } = await aws.dynamodb('Scan', { TableName: TABLE, Limit: 50 });
  return answer(200, Items.map(fromItem));
}

exports.handler = async (event) => {
  switch (event.routeKey) {
    case 'POST /orders': return place(event);
    case 'GET /orders': return list();
    case 'GET /orders/{id}': return get(event.pathParameters.id);
    default: return answer(404, { message: 'Not Found' });
  }
};
