// A few signed calls without dependencies: small enough to read, and quick to start. Uses AWS_ENDPOINT_URL when it is
// set, AWS's own endpoints otherwise.
'use strict';
const crypto = require('node:crypto');
const http = require('node:http');
const https = require('node:https');

const region = process.env.AWS_REGION || 'us-east-1';
const agents = { 'http:': new http.Agent({ keepAlive: true, maxSockets: 32 }), 'https:': new https.Agent({ keepAlive: true }) };
const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');
const keys = new Map();

// A signing key is good for a day and a service: derived once, not for each call.
function signingKey(secret, date, service) {
  const known = keys.get(service);
  if (known && known.date === date && known.secret === secret) return known.key;
  const key = hmac(hmac(hmac(hmac('AWS4' + secret, date), region), service), 'aws4_request');
  keys.set(service, { date, secret, key });
  return key;
}

function send(service, path, headers, body) {
  const base = new URL(process.env.AWS_ENDPOINT_URL || `https://${service}.${region}.amazonaws.com`);
  const now = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const all = { host: base.host, 'x-amz-date': now, ...headers };
  if (process.env.AWS_SESSION_TOKEN) all['x-amz-security-token'] = process.env.AWS_SESSION_TOKEN;
  // As the AWS SDKs do: the trace of this invocation goes along.
  if (process.env._X_AMZN_TRACE_ID) all['x-amzn-trace-id'] = process.env._X_AMZN_TRACE_ID;
  const names = Object.keys(all).sort();
  const canonical = ['POST', encodeURI(path), '', ...names.map((n) => `${n}:${all[n]}`), '', names.join(';'), sha256(body)].join('\n');
  const scope = `${now.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signature = hmac(signingKey(process.env.AWS_SECRET_ACCESS_KEY || '', now.slice(0, 8), service),
    `AWS4-HMAC-SHA256\n${now}\n${scope}\n${sha256(canonical)}`).toString('hex');
  all.authorization = `AWS4-HMAC-SHA256 Credential=${process.env.AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return new Promise((resolve, reject) => {
    const request = (base.protocol === 'http:' ? http : https).request(
      { agent: agents[base.protocol], hostname: base.hostname, port: base.port, path, method: 'POST', headers: { ...all, 'content-length': Buffer.byteLength(body) } },
      (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          if (response.statusCode >= 300) reject(new Error(`${service} answered ${response.statusCode}: ${text}`));
          else resolve(text ? JSON.parse(text) : {});
        });
      });
    request.on('error', reject);
    request.end(body);
  });
}

exports.dynamodb = (operation, input) =>
  send('dynamodb', '/', { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${operation}` }, JSON.stringify(input));
exports.sqs = (operation, input) =>
  send('sqs', '/', { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` }, JSON.stringify(input));
exports.invoke = (name, input) => send('lambda', `/2015-03-31/functions/${name}/invocations`, { 'content-type': 'application/json' }, JSON.stringify(input));
