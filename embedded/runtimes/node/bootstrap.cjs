'use strict';
// The Node.js runtime of functions: takes events from the Runtime API, calls the handler, hands back what it returns.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const fs = require('node:fs');
const path = require('node:path');
const util = require('node:util');
const { pathToFileURL } = require('node:url');

const API_HOST = process.env.AWS_LAMBDA_RUNTIME_API.split(':')[0];
const PREFIX = '/2018-06-01/runtime/';
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HTTP_INTEGRATION = 'application/vnd.awslambda.http-integration-response';

// ---- Runtime API -------------------------------------------------------------------------------------------------
// The descriptor that this process was started with is connected already. node:net and the streams below it would take
// longer to load than all else here, so it is read by what they are made of.
class Channel {
  constructor(descriptor, received, lost) {
    const { Pipe, constants } = process.binding('pipe_wrap');
    this.bindings = process.binding('stream_wrap');
    this.lost = lost;
    this.unfinished = new Set();
    this.handle = new Pipe(constants.SOCKET);
    this.handle.open(descriptor);
    this.handle.onread = (bytes) => (bytes ? received(Buffer.from(bytes)) : lost());
    this.handle.readStart();
  }
  send(bytes, done) {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = this.bindings;
    const write = new WriteWrap();
    write.oncomplete = (status) => {
      this.unfinished.delete(write);
      if (status < 0) this.lost();
      else if (done) done();
    };
    const failed = typeof bytes === 'string' ? this.handle.writeUtf8String(write, bytes) : this.handle.writeBuffer(write, bytes);
    if (failed) this.lost();
    else if (streamBaseState[kLastWriteWasAsync]) this.unfinished.add(write);
    else if (done) process.nextTick(done);
  }
  ref() { this.handle.ref(); }
  unref() { this.handle.unref(); }
}

class Socket {
  constructor(address, received, lost) {
    const [host, port] = address.split(':');
    this.socket = require('node:net').connect({ host, port: Number(port), noDelay: true });
    this.socket.on('data', received);
    this.socket.on('error', lost);
    this.socket.on('close', lost);
  }
  send(bytes, done) { this.socket.write(bytes, done); }
  ref() { this.socket.ref(); }
  unref() { this.socket.unref(); }
}

function connect(received, lost) {
  const descriptor = process.env.ATOLL_RUNTIME_CHANNEL;
  delete process.env.ATOLL_RUNTIME_CHANNEL;
  // Who asks for warnings of what may go some day shall see only those of the function.
  const flags = [...process.execArgv, process.env.NODE_OPTIONS || '', process.env.NODE_PENDING_DEPRECATION ? '--pending-deprecation' : ''];
  if (descriptor && !flags.join(' ').includes('pending-deprecation')) {
    try {
      return new Channel(Number(descriptor), received, lost);
    } catch {
      // a Node that is built otherwise
    }
  }
  return new Socket(process.env.AWS_LAMBDA_RUNTIME_API, received, lost);
}

// One kept-alive connection with requests in order; replies come back in the same order.
class RuntimeApi {
  constructor() {
    this.waiting = [];
    this.pieces = [];   // of a reply that is not whole yet
    this.size = 0;
    this.expected = 0;  // bytes, once its head is known
    this.connection = connect((bytes) => this.received(bytes), () => process.exit(1));
  }

  received(bytes) {
    this.pieces.push(bytes);
    this.size += bytes.length;
    // A large event is joined once.
    while (this.size > 0 && this.size >= this.expected) {
      const buffer = this.pieces.length === 1 ? this.pieces[0] : Buffer.concat(this.pieces, this.size);
      this.pieces = [buffer];
      const headEnd = buffer.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = buffer.latin1Slice(0, headEnd);
      const lengthMatch = /\r\ncontent-length: *(\d+)/i.exec(head);
      const end = headEnd + 4 + (lengthMatch ? Number(lengthMatch[1]) : 0);
      this.expected = end;
      if (buffer.length < end) return;
      this.expected = 0;
      this.size = buffer.length - end;
      this.pieces = this.size > 0 ? [buffer.subarray(end)] : [];
      const status = Number(head.slice(9, 12));
      if (status === 100) continue;
      const take = this.waiting.shift();
      if (take) take({ status, head, body: buffer.subarray(headEnd + 4, end) });
    }
  }

  static pack(method, target, headers, body) {
    return `${method} ${target} HTTP/1.1\r\nHost: ${API_HOST}\r\n${headers}` + (method === 'POST' ? `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}` : '\r\n');
  }
  reply() { return new Promise((resolve) => this.waiting.push(resolve)); }
  get(target) {
    this.connection.send(RuntimeApi.pack('GET', target, '', ''));
    return this.reply();
  }
  post(target, headers, body) {
    this.connection.send(RuntimeApi.pack('POST', target, headers, body));
    return this.reply();
  }
  // The answer and the wish for the next event leave together.
  postAndGet(target, headers, body, next) {
    this.connection.send(RuntimeApi.pack('POST', target, headers, body) + RuntimeApi.pack('GET', next, '', ''));
    this.reply();
    return this.reply();
  }
}

const api = new RuntimeApi();

function headerOf(head, name) {
  const at = head.toLowerCase().indexOf('\r\n' + name + ':');
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = head.indexOf('\r\n', start);
  return head.slice(start, end < 0 ? undefined : end).trim();
}

// ---- logs --------------------------------------------------------------------------------------------------------
let currentRequestId;
const LEVELS = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4, FATAL: 5 };

function patchConsole() {
  const json = (process.env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON';
  const least = json ? (LEVELS[(process.env.AWS_LAMBDA_LOG_LEVEL || '').toUpperCase()] ?? 0) : 0;
  const write = (text) => {
    try {
      fs.writeSync(1, text);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      process.stdout.write(text);
    }
  };
  const emitText = (level, args) => {
    // A carriage return stands for a line break inside one message.
    const message = util.format(...args).replace(/\n/g, '\r');
    write(`${new Date().toISOString()}\t${currentRequestId}\t${level}\t${message}\n`);
  };
  const emitJson = (level, args) => {
    const line = { timestamp: new Date().toISOString(), level, requestId: currentRequestId };
    const errors = args.filter((value) => value instanceof Error);
    line.message = args.length === 1 && typeof args[0] === 'object' && args[0] !== null && errors.length === 0 ? args[0] : util.format(...args);
    if (errors.length > 0) {
      const error = errors[0];
      line.errorType = error.name;
      line.errorMessage = error.message;
      line.stackTrace = String(error.stack).split('\n').slice(1).map((entry) => entry.trim());
    }
    let text;
    try {
      text = JSON.stringify(line);
    } catch {
      line.message = util.format(...args);
      text = JSON.stringify(line);
    }
    write(text + '\n');
  };
  const emit = json ? emitJson : emitText;
  const at = (level) => (LEVELS[level] >= least ? (...args) => emit(level, args) : () => {});
  console.trace = at('TRACE');
  console.debug = at('DEBUG');
  console.log = at('INFO');
  console.info = at('INFO');
  console.warn = at('WARN');
  console.error = at('ERROR');
  console.fatal = at('FATAL');
}

// ---- errors ------------------------------------------------------------------------------------------------------
function toError(error) {
  if (util.types.isNativeError(error) || (error && error.name && error.message !== undefined && error.stack)) {
    return { errorType: String(error.name).replace(/\x7F/g, '%7F'), errorMessage: String(error.message).replace(/\x7F/g, '%7F'), trace: String(error.stack).replace(/\x7F/g, '%7F').split('\n') };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function describe(error) {
  if (!(util.types.isNativeError(error) || (error && error.stack))) return '\t' + JSON.stringify(toError(error));
  const shown = { errorType: error.name, errorMessage: error.message, ...error, stack: String(error.stack).split('\n') };
  try {
    return '\t' + JSON.stringify(shown);
  } catch {
    return '\t' + JSON.stringify({ errorType: error.name, errorMessage: error.message, stack: shown.stack });
  }
}

const errorHeaders = (body) =>
  `Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: ${encodeURIComponent(body.errorType)}\r\n`;

function makeError(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

// ---- handler -----------------------------------------------------------------------------------------------------
function isModulePackage(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if (path.basename(folder) === 'node_modules') return false;
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type === 'module';
    } catch {
      // none here, or not readable: look above
    }
    if (folder === path.dirname(folder)) return false;
  }
}

async function loadModule(root, name) {
  const file = path.resolve(root, name);
  const exists = (candidate) => fs.existsSync(candidate) && fs.statSync(candidate).isFile();
  if (exists(file)) return isModulePackage(file) ? import(pathToFileURL(file).href) : require(file);
  if (exists(file + '.js')) return isModulePackage(file + '.js') ? import(pathToFileURL(file + '.js').href) : require(file + '.js');
  if (exists(file + '.mjs')) return import(pathToFileURL(file + '.mjs').href);
  if (exists(file + '.cjs')) return require(file + '.cjs');
  return require(require.resolve(name, { paths: [root] }));
}

async function loadHandler() {
  const root = process.env.LAMBDA_TASK_ROOT;
  const full = process.env._HANDLER;
  if (full.includes('..')) throw makeError('Runtime.MalformedHandlerName', `'${full}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const base = path.basename(full);
  const match = /^([^.]*)\.(.*)$/.exec(base);
  if (!match) throw makeError('Runtime.MalformedHandlerName', 'Bad handler');
  const folder = full.substring(0, full.indexOf(base));
  let found;
  try {
    found = await loadModule(path.join(root, folder), match[1]);
  } catch (error) {
    if (error instanceof SyntaxError) throw Object.assign(makeError('Runtime.UserCodeSyntaxError', error.toString()), { stack: error.stack });
    if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) throw makeError('Runtime.ImportModuleError', error.toString());
    throw error;
  }
  const pick = (object) => match[2].split('.').reduce((value, key) => value && value[key], object);
  const handler = pick(found) || (found && found.default ? pick(found.default) : undefined);
  if (!handler) throw makeError('Runtime.HandlerNotFound', `${full} is undefined or not exported`);
  if (typeof handler !== 'function') throw makeError('Runtime.HandlerNotFound', `${full} is not a function`);
  const version = /nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV || '');
  if (version && Number(version[1]) >= 24 && !handler[STREAMING] && handler.length >= 3) {
    throw makeError('Runtime.CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  return handler;
}

// ---- streaming responses -----------------------------------------------------------------------------------------
const makeResponseStreamClass = () => class ResponseStream extends require('node:stream').Writable {
  constructor(requestId) {
    super({ highWaterMark: 64 * 1024 });
    this.requestId = requestId;
    this.contentType = 'application/octet-stream';
    this.started = false;
    this.prelude = null;
  }
  setContentType(type) {
    if (this.started) throw makeError('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.contentType = type;
  }
  start() {
    if (this.started) return;
    this.started = true;
    api.connection.send(`POST ${PREFIX}invocation/${this.requestId}/response HTTP/1.1\r\nHost: ${API_HOST}\r\nContent-Type: ${this.contentType}\r\n` +
      'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\nTrailer: Lambda-Runtime-Function-Error-Body\r\n\r\n');
    this.answered = api.reply();
    if (this.prelude) this.chunk(Buffer.concat([Buffer.from(this.prelude), Buffer.alloc(8)]));
  }
  chunk(bytes, done) {
    if (bytes.length === 0) return done && done();
    api.connection.send(bytes.length.toString(16) + '\r\n');
    api.connection.send(bytes);
    api.connection.send('\r\n', done);
  }
  _write(bytes, encoding, done) {
    this.start();
    this.chunk(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, encoding), done);
  }
  _final(done) {
    this.start();
    if (!this.cut) api.connection.send('0\r\n\r\n');
    done();
  }
  fail(error) {
    const body = toError(error);
    this.cut = true;
    api.connection.send(`0\r\nLambda-Runtime-Function-Error-Type: ${encodeURIComponent(body.errorType)}\r\nLambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(body)).toString('base64')}\r\n\r\n`);
  }
};

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (options && options.highWaterMark) handler[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = options.highWaterMark;
    return handler;
  },
  HttpResponseStream: {
    from(stream, metadata) {
      stream.setContentType(HTTP_INTEGRATION);
      stream.prelude = JSON.stringify(metadata);
      return stream;
    },
  },
};

// ---- one invocation ----------------------------------------------------------------------------------------------
const current = { done: null };

function makeContext(head, requestId, complete) {
  const deadline = Number(headerOf(head, 'lambda-runtime-deadline-ms'));
  const json = (name) => {
    const text = headerOf(head, name);
    try {
      return text ? JSON.parse(text) : undefined;
    } catch {
      throw makeError('Runtime.InvalidContext', `Cannot parse ${name} as json`);
    }
  };
  const env = process.env;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json('lambda-runtime-client-context'),
    identity: json('lambda-runtime-cognito-identity'),
    invokedFunctionArn: headerOf(head, 'lambda-runtime-invoked-function-arn'),
    awsRequestId: requestId,
    tenantId: headerOf(head, 'lambda-runtime-aws-tenant-id'),
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, value) => complete(error, value),
    succeed: (value) => complete(null, value),
    fail: (error) => complete(error === undefined || error === null ? 'handled' : error),
  };
}

// Resolves to { error } or { value } once the handler is done in one of the ways it can be.
function call(handler, event, head, requestId) {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (outcome) => {
      if (settled) return;
      settled = true;
      current.done = null;
      resolve(outcome);
    };
    let pending = null;
    let context;
    const complete = (error, value) => {
      if (pending || settled) return;
      pending = error === undefined || error === null ? { value } : { error };
      if (!context.callbackWaitsForEmptyEventLoop) setImmediate(() => settle(pending));
    };
    // With nothing left to run, an unanswered invocation is answered: with the callback's value or with null.
    current.done = () => settle(pending || { value: null });
    try {
      context = makeContext(head, requestId, complete);
      const result = handler(event, context, complete);
      if (result && typeof result.then === 'function') {
        result.then((value) => settle({ value }), (error) => settle({ error }));
      } else if (handler.length < 3 && result !== undefined) {
        settle({ value: result });
      }
    } catch (error) {
      settle({ error });
    }
  });
}

async function callStreaming(handler, event, head, requestId) {
  const stream = new (makeResponseStreamClass())(requestId);
  const finished = new Promise((resolve) => {
    stream.on('finish', () => resolve());
    stream.on('error', () => resolve());
  });
  try {
    const context = makeContext(head, requestId, () => {});
    const result = handler(event, stream, context);
    if (result && typeof result.then === 'function') await result;
    if (!stream.writableEnded && handler.length < 2) stream.end();
    await finished;
  } catch (error) {
    console.error('Invoke Error', describe(error));
    if (!stream.started) {
      const body = toError(error);
      return api.post(`${PREFIX}invocation/${requestId}/error`, errorHeaders(body), JSON.stringify(body));
    }
    if (!stream.writableFinished) stream.fail(error);
  }
  return stream.answered;
}

// How to report what nothing caught; set while an invocation runs.
let reportUncaught = null;

function crash(kind, error, code) {
  console.error(kind, describe(error));
  // The connection is held by a waiting poll: there is no invocation to answer.
  if (api.waiting.length > 0) process.exit(code);
  const body = toError(error);
  const target = reportUncaught ? `${PREFIX}invocation/${currentRequestId}/error` : `${PREFIX}init/error`;
  api.connection.ref();
  api.post(target, errorHeaders(body), JSON.stringify(body)).then(() => process.exit(code));
}

async function main() {
  let reply;
  if (process.env.ATOLL_POOLED) {
    // Booted ahead of time: what this process is for arrives later.
    reply = await api.get('/atoll/assignment');
    const assignment = JSON.parse(reply.body.toString());
    for (const name of Object.keys(process.env)) if (!(name in assignment.env)) delete process.env[name];
    Object.assign(process.env, assignment.env);
    process.chdir(assignment.cwd);
    require('node:module').Module._initPaths();  // NODE_PATH is known only now
  }
  if (process.env.ATOLL_NODE_EXTRA_CA_CERTS) {
    // For the Node processes that the function starts; this one trusts what SSL_CERT_FILE names.
    process.env.NODE_EXTRA_CA_CERTS = process.env.ATOLL_NODE_EXTRA_CA_CERTS;
    delete process.env.ATOLL_NODE_EXTRA_CA_CERTS;
  }
  patchConsole();
  process.on('uncaughtException', (error) => crash('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason) => {
    const error = makeError('Runtime.UnhandledPromiseRejection', reason instanceof Error ? reason.toString() : String(reason));
    error.reason = reason;
    crash('Unhandled Promise Rejection', error, 128);
  });
  process.on('beforeExit', () => {
    if (current.done) current.done();
  });

  let handler;
  try {
    handler = await loadHandler();
  } catch (error) {
    console.error('Uncaught Exception', describe(error));
    const body = toError(error);
    await api.post(`${PREFIX}init/error`, errorHeaders(body), JSON.stringify(body));
    process.exit(1);
  }

  const NEXT = `${PREFIX}invocation/next`;
  let waiting = api.get(NEXT);
  for (;;) {
    const { head, body } = await waiting;
    const requestId = headerOf(head, 'lambda-runtime-aws-request-id');
    currentRequestId = requestId;
    reportUncaught = requestId;
    const trace = headerOf(head, 'lambda-runtime-trace-id');
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    // While the handler runs, the connection does not keep the loop alive: see 'beforeExit' above.
    api.connection.unref();
    if (handler[STREAMING]) {
      api.connection.ref();
      await callStreaming(handler, JSON.parse(body.toString()), head, requestId);
      waiting = api.get(NEXT);
      continue;
    }
    let outcome;
    try {
      outcome = await call(handler, JSON.parse(body.toString()), head, requestId);
    } catch (error) {
      outcome = { error };
    }
    let text;
    if (!('error' in outcome)) {
      try {
        text = JSON.stringify(outcome.value === undefined ? null : outcome.value);
        if (text === undefined) text = 'null';
      } catch (error) {
        outcome = { error: makeError('Runtime.MarshalError', `Unable to stringify response body as json: ${error.message}`) };
      }
    }
    reportUncaught = null;
    api.connection.ref();
    if ('error' in outcome) {
      console.error('Invoke Error', describe(outcome.error));
      const failure = toError(outcome.error);
      waiting = api.postAndGet(`${PREFIX}invocation/${requestId}/error`, errorHeaders(failure), JSON.stringify(failure), NEXT);
    } else {
      waiting = api.postAndGet(`${PREFIX}invocation/${requestId}/response`, 'Content-Type: application/json\r\n', text, NEXT);
    }
  }
}

main();
