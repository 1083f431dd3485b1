// The example's handler in plain Node servers, without API Gateway and Lambda: what the same work costs there.
'use strict';
const cluster = require('node:cluster');
const http = require('node:http');
const { handler } = require('../examples/orders/api/orders.js');

if (cluster.isPrimary) {
  for (let i = 0; i < Number(process.argv[3]); ++i) cluster.fork();
  process.on('SIGTERM', () => cluster.disconnect(() => process.exit(0)));
} else {
  http.createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => { body += piece; });
    request.on('end', async () => {
      const out = await handler({ routeKey: 'POST /orders', body });
      response.writeHead(out.statusCode, out.headers);
      response.end(out.body);
    });
  }).listen(Number(process.argv[2]), '127.0.0.1');
}
