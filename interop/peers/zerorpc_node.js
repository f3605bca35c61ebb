// Node's unmodified zerorpc 0.9.8: a server or a client, driven by the test.
//
// Settings (one JSON object on the command line), all optional:
//
//     heartbeat        milliseconds (default 5000)
//     timeout          seconds that a call may take (default 30)
//     endpoint(s)      a client's servers; without them the program is a server
//     bind             where it listens (default: a free port of the loopback interface)
//     listen           {"errors": false}: a server without a listener for errors, which ends then
//
// The conversation is that of control.py: one JSON object a line. Values that JSON cannot say are
// {"$bytes": "00ff"}, {"$date": milliseconds} and {"$undefined": true}.
//
// A server has the methods below and the requests `journal` (errors that it emitted), `works` (the
// ids that `work` was called with) and `stop`.
// A client has these requests:
//
//     call {method, args, timeout?}      {result} or {raised: {name, message, traceback}}
//     storm {method, args, count}        the same calls at once: {answered, raised}
//     stream {method, args}              {count, first_items, last, in_order} with {raised}
//     start CALL + {id}; start_stream STREAM + {id}; peek {id}; join {id}
//     close                              and `journal`, the errors that the client emitted
//
// Times are in `elapsed`, in seconds.
'use strict';

const net = require('net');
const readline = require('readline');

const zerorpc = require('zerorpc');

const FIRST_ITEMS = 10;

const settings = JSON.parse(process.argv[2] || '{}');
const journal = [];
const works = [];

function fromJson(value) {
  if (Array.isArray(value)) return value.map(fromJson);
  if (value === null || typeof value !== 'object') return value;
  if ('$bytes' in value) return Buffer.from(value.$bytes, 'hex');
  if ('$date' in value) return new Date(value.$date);
  if ('$undefined' in value) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromJson(item)]));
}

function toJson(value) {
  if (value === undefined) return { $undefined: true };
  if (Buffer.isBuffer(value)) return { $bytes: value.toString('hex') };
  if (value instanceof Date) return { $date: value.getTime() };
  if (Array.isArray(value)) return value.map(toJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

const seconds = () => Number(process.hrtime.bigint()) / 1e9;

const write = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const noteError = (error) => journal.push(String((error && error.message) || error));

// Sends numbers one after the other, and whatever `last` says in the end.
function count(to, reply, last) {
  let number = 0;
  while (number < to) {
    reply(null, number, true);
    number += 1;
  }
  last();
}

// The library throws where it has given up the caller, and a server that lets it ends.
function ifHeard(send) {
  try {
    send();
    return true;
  } catch (error) {
    noteError(error);
    return false;
  }
}

const methods = {
  add: function (a, b, reply) { reply(null, a + b, false); },
  echo: function (value, reply) { reply(null, value, false); },
  kind: function (value, reply) {
    reply(null, Buffer.isBuffer(value) ? 'buffer' : value === null ? 'null' : typeof value, false);
  },
  nothing: function (reply) { reply(null, undefined, false); },
  large: function (reply) { reply(null, 4294967296, false); },
  date: function (reply) { reply(null, new Date(86400000), false); },
  fail_text: function (reply) { reply('a text', undefined, false); },
  fail_object: function (reply) { reply(new TypeError('an object'), undefined, false); },
  fail_thrown: function (reply) { throw new RangeError('thrown'); },
  wait: function (time, reply) { setTimeout(() => reply(null, time, false), time * 1000); },
  work: function (id, time, reply) {
    works.push(id);
    setTimeout(() => ifHeard(() => reply(null, id, false)), time * 1000);
  },
  never: function (reply) {},
  fail: function (message, reply) { reply(new Error(message), undefined, false); },
  binary: function (size, reply) {
    reply(null, Buffer.from(Array.from({ length: size }, (_, i) => (31 * i + 7) & 255)), false);
  },
  slow_stream: function (items, pause, reply) {
    let number = 0;
    const timer = setInterval(() => {
      const done = number === items;
      const heard = ifHeard(() => reply(null, done ? undefined : number, !done));
      if (done || !heard) clearInterval(timer);
      number += 1;
    }, pause * 1000);
  },
  count: function (to, reply) { count(to, reply, () => reply(null, undefined, false)); },
  fail_after: function (to, reply) {
    count(to, reply, () => reply(new Error(`after ${to}`), undefined, false));
  },
};

// The library cannot say which port it got, so a free one is looked for first.
function freePort(done) {
  const probe = net.createServer();
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
}

function serve() {
  const server = new zerorpc.Server(methods, settings.heartbeat || 5000);
  if (!settings.listen || settings.listen.errors) server.on('error', noteError);
  const listen = (endpoint) => {
    server.bind(endpoint);
    write({ ready: { endpoint, pid: process.pid } });
    handleRequests({
      works: (request, answer) => answer(works),
      journal: (request, answer) => answer(journal),
      stop: (request, answer) => { server.close(); answer(null); },
    });
  };
  if (settings.bind) listen(settings.bind);
  else freePort((port) => listen(`tcp://127.0.0.1:${port}`));
}

function raised(error) {
  return { name: error.name, message: error.message, traceback: error.traceback || error.stack };
}

function invoke(client, { method, args, timeout }, callback) {
  const options = timeout === undefined ? [] : [{ timeout }];
  client.invoke(...options, method, ...args.map(fromJson), callback);
}

function call(client, request, answer) {
  const began = seconds();
  let answered = false;
  invoke(client, request, (error, result) => {
    if (answered) return;
    answered = true;
    const elapsed = seconds() - began;
    answer(error ? { raised: raised(error), elapsed } : { result: toJson(result), elapsed });
  });
}

function storm(client, request, answer) {
  const began = seconds();
  const outcomes = [];
  for (let number = 0; number < request.count; number += 1) {
    call(client, request, (outcome) => {
      outcomes.push(outcome);
      if (outcomes.length < request.count) return;
      const failed = outcomes.filter((other) => other.raised).map((other) => other.raised);
      answer({
        answered: request.count - failed.length,
        raised: failed.slice(0, 3),
        elapsed: seconds() - began,
      });
    });
  }
}

const nothingSeen = () => ({ count: 0, first_items: [], last: null, in_order: true });

function stream(client, request, answer, seen = nothingSeen()) {
  const began = seconds();
  invoke(client, request, (error, item, more) => {
    if (error) {
      answer({ ...seen, raised: raised(error), elapsed: seconds() - began });
      return;
    }
    if (more) {
      if (seen.count < FIRST_ITEMS) seen.first_items.push(toJson(item));
      if (item !== seen.count) seen.in_order = false;
      seen.count += 1;
      seen.last = toJson(item);
    } else {
      answer({ ...seen, elapsed: seconds() - began });
    }
  });
}

function connect() {
  const client = new zerorpc.Client({
    timeout: settings.timeout || 30,
    heartbeatInterval: settings.heartbeat || 5000,
  });
  client.on('error', noteError);
  for (const endpoint of settings.endpoints || [settings.endpoint]) client.connect(endpoint);
  write({ ready: { pid: process.pid } });
  const started = new Map();
  const streams = new Map();
  handleRequests({
    call: (request, answer) => call(client, request, answer),
    storm: (request, answer) => storm(client, request, answer),
    stream: (request, answer) => stream(client, request, answer),
    start: (request, answer) => {
      started.set(request.id, new Promise((resolve) => { call(client, request, resolve); }));
      answer(null);
    },
    start_stream: (request, answer) => {
      const seen = nothingSeen();
      streams.set(request.id, seen);
      started.set(request.id, new Promise((resolve) => { stream(client, request, resolve, seen); }));
      answer(null);
    },
    peek: (request, answer) => answer(streams.get(request.id)),
    join: (request, answer) => { started.get(request.id).then(answer); },
    journal: (request, answer) => answer(journal),
    close: (request, answer) => { client.close(); answer(null); },
  });
}

function handleRequests(operations) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const request = JSON.parse(line);
    try {
      operations[request.op](request, (value) => write({ ok: value }));
    } catch (error) {
      write({ error: String(error && error.stack) });
    }
  });
  // No peer outlives its test.
  lines.on('close', () => process.exit(0));
}

if (settings.endpoint || settings.endpoints) connect(); else serve();
