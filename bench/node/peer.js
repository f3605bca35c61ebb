// One process of a measurement of Node's zerorpc.
//
// It talks with the benchmark as src/link.rs says, and measures as src/measure does: a warm-up,
// then a window, both from the first result on, with the processor time of both processes.
'use strict';

const fs = require('fs');
const net = require('net');
const readline = require('readline');
const { parseArgs } = require('util');

const zerorpc = require('zerorpc');

const TICKS_PER_SECOND = 100;
const ARGUMENT = 'x'.repeat(64);

// Seconds that the processors have spent for one process.
function processTime(id) {
  const stat = fs.readFileSync(`/proc/${id}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

// Seconds that the processors have spent for anything.
function machineTime() {
  const line = fs.readFileSync('/proc/stat', 'utf8').split('\n', 1)[0];
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const sum = fields.reduce((one, other) => one + other, 0);
  return (sum - fields[3] - fields[4]) / TICKS_PER_SECOND;
}

const seconds = () => Number(process.hrtime.bigint()) / 1e9;

// Counts operations until the window is over; `record` says when.
class Meter {
  constructor(options, peer) {
    this.warmUp = Number(options['warm-up']);
    this.window = Number(options.seconds);
    this.peer = peer;
    this.operations = 0;
    this.samples = [];
  }

  record(sample) {
    const now = seconds();
    if (this.start !== undefined) {
      this.operations += 1;
      if (sample !== undefined) this.samples.push(sample);
      return now - this.start >= this.window;
    }
    if (this.windowStarts === undefined) {
      this.windowStarts = now + this.warmUp;
    } else if (now >= this.windowStarts) {
      this.times = this.readTimes();
      this.start = seconds();
    }
    return false;
  }

  readTimes() {
    return [processTime(process.pid), processTime(this.peer), machineTime()];
  }

  report() {
    const passed = seconds() - this.start;
    const times = this.readTimes();
    const [own, peer, machine] = times.map((time, index) => time - this.times[index]);
    this.samples.sort((one, other) => one - other);
    const percentile = (percent) =>
      Math.round(this.samples[Math.ceil((this.samples.length * percent) / 100) - 1] * 1e9);
    console.log(JSON.stringify({
      operations: this.operations,
      seconds: passed,
      server_cpu: peer,
      client_cpu: own,
      foreign_cpu: Math.max(0, machine - own - peer),
      latency: this.samples.length ? { p50: percentile(50), p99: percentile(99) } : null,
    }));
  }
}

// The library cannot say which port it got, so a free one is looked for first.
function freePort(done) {
  const probe = net.createServer();
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
}

function serve() {
  const server = new zerorpc.Server({
    echo: function (value, reply) { reply(null, value, false); },
  });
  freePort((port) => {
    server.bind(`tcp://127.0.0.1:${port}`);
    console.log(`port ${port}`);
  });
}

function call(client, meter, timed, done) {
  const start = seconds();
  client.invoke('echo', ARGUMENT, (error) => {
    if (error) throw new Error(String(error.message || error));
    if (meter.finished) return;
    if (meter.record(timed ? seconds() - start : undefined)) {
      meter.finished = true;
      done();
    } else {
      call(client, meter, timed, done);
    }
  });
}

function measure(options, peer) {
  const client = new zerorpc.Client();
  client.connect(`tcp://127.0.0.1:${options.port}`);
  const meter = new Meter(options, peer);
  const calls = options.workload === 'rpc-sequential'
    ? 1 : Number(options.workload.replace('rpc-in-flight-', ''));
  const done = () => {
    meter.report();
    process.exit(0);
  };
  for (let number = 0; number < calls; number += 1) call(client, meter, calls === 1, done);
}

const { positionals: [side], values: options } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(
    ['implementation', 'workload', 'seconds', 'warm-up', 'port'].map((name) => [
      name, { type: 'string' },
    ])),
});
if (side === 'server') {
  serve();
} else {
  readline.createInterface({ input: process.stdin }).once('line', (line) => {
    measure(options, Number(line.split(' ')[1]));
  });
}
