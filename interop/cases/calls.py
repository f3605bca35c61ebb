"""Cases of calls and streams between peers that are well."""

import zlib

from .run import HEARTBEAT, Ledger, case, check

# What a busy machine may add to a timeout. Two heartbeats, after which a call is lost, are longer.
LATE = 5.0


@case("call")
def call(run):
    """A call is answered."""
    run.server()
    client = run.client()
    outcome = client.call("add", 20, 22)
    check(outcome.result == 42, "20 + 22 is", outcome)
    outcome = client.call("echo", ["déjà vu", -1, 1.5, None, True, {"k": [2 ** 32]}])
    check(outcome.result == ["déjà vu", -1, 1.5, None, True, {"k": [2 ** 32]}], "echoed", outcome)


@case("remote error")
def remote_error(run):
    """What a method raises arrives with its name and its message."""
    run.server()
    # What the server raises is a plain error in JavaScript.
    name = "Error" if run.server_kind.host == "node" else "ValueError"
    outcome = run.client().call("fail", "so it is")
    check(outcome.kind == "error" and outcome.error == (name, "so it is"), "raised", outcome)


@case("unknown method")
def unknown_method(run):
    """A call of a method that is not there is answered with an error; Node's server never answers
    it, which the heartbeat notices."""
    is_silent = run.server_kind.host == "node"
    heartbeat = HEARTBEAT if is_silent else 5.0
    run.server(heartbeat=heartbeat)
    outcome = run.client(heartbeat=heartbeat).call("there_is_no_such_method")
    check(outcome.kind == ("LostRemote" if is_silent else "error"), "ended", outcome)


@case("stream of 5000")
def stream(run):
    """A stream arrives whole and in order."""
    run.server()
    outcome = run.client().stream("count", 5000)
    check(outcome.kind == "answered", "the stream ended with", outcome)
    check(outcome.reply["count"] == 5000 and outcome.reply["in_order"], "received", outcome)


@case("stream that breaks")
def broken_stream(run):
    """The items before an error arrive, and then the error."""
    run.server()
    outcome = run.client().stream("fail_after", 7)
    check(outcome.reply["count"] == 7 and outcome.kind == "error", "received", outcome)


@case("100 calls in flight")
def in_flight(run):
    """Each of 100 calls on one connection gets its own answer, and each runs once."""
    server = run.server()
    ledger = Ledger(run, run.client())
    ledger.begin(100, 1.0)
    counts = ledger.settle(within=30)
    check(counts["answered"] == 100, "ended", counts)
    check(len(ledger.once(server)) == 100, "not all of them ran")


@case("1 MiB each way")
def large(run):
    """A large argument comes back unchanged, and so does a large result."""
    run.server()
    client = run.client()
    text = "0123456789abcdef" * (1 << 16)
    outcome = client.call("echo", text)
    check(outcome.kind == "answered", "the call ended with", outcome)
    check(_is(outcome.result, text.encode()), "it came back changed:", outcome)
    outcome = client.call("binary", 1 << 20)
    check(outcome.kind == "answered", "the call ended with", outcome)
    result = bytes((31 * index + 7) & 255 for index in range(256)) * (1 << 12)
    check(_is(outcome.result, result), "another result came:", outcome)


@case("timeout")
def timeout(run):
    """A call that takes longer than the second that its client waits ends within five seconds more,
    and the next one is answered."""
    run.server()
    client = run.client()
    outcome = client.call("wait", 60, timeout=1)
    check(outcome.kind == "Timeout" and 0.9 < outcome.elapsed < 1 + LATE, "ended", outcome)
    check(client.call("add", 1, 2).result == 3, "the next call failed")


@case("name and methods", kinds=("python2.7", "python3"))
def introspection(run):
    """A client learns the name and the methods of the server."""
    run.server(name="Adder")
    client = run.client()
    name = client.call("_zerorpc_name").result
    check(name == "Adder" or name == {"$bytes": "4164646572"}, "the name is", name)
    methods = client.call("_zerorpc_list").result
    check(any("add" == one or one == {"$bytes": "616464"} for one in methods),
          "the methods are", methods)


@case("command line", kinds=("python2.7", "python3"))
def command_line(run):
    """The command of one side calls the server of the other, and prints the result alone."""
    run.server()
    code, output = run.client_host.run(
        run.client_kind.command + ["--json", run.endpoint(), "add", "20", "22"])
    check((code, output.strip()) == (0, "42"), "it ended with", code, output)


def _is(shown, octets):
    """Whether a value as a client shows it, whole or by size and checksum, has these octets. For
    Python 2 text is binary."""
    if isinstance(shown, str):
        return shown.encode() == octets
    if not isinstance(shown, dict) or len(shown) != 1:
        return False
    (kind, body), = shown.items()
    if kind == "$bytes":
        return body == octets.hex()
    return kind in ("$long_bytes", "$long_str") and body == {
        "size": len(octets), "crc32": zlib.crc32(octets)}
