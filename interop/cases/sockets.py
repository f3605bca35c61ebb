"""Cases of ZeroMQ sockets with libzmq, encrypted and not. Keys are those of nobody else."""

import time

from .conversation import TimedOut
from .peers import PORT
from .run import case, check

# Server, client, and a client whose idea of the server's key is wrong. Published: for tests alone.
SERVER = ("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
CLIENT = ("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")

PAIRS = (("DEALER", "ROUTER"), ("PUSH", "PULL"), ("PUB", "SUB"))


@case("sockets", kinds=("libzmq",))
def sockets(run):
    """Messages pass between DEALER and ROUTER, PUSH and PULL, PUB and SUB."""
    for pair in PAIRS:
        _converse(run, pair, {}, {})


@case("sockets with CURVE", kinds=("libzmq",))
def curve_sockets(run):
    """The same, encrypted."""
    for pair in PAIRS:
        _converse(run, pair, _server_options(), _client_options(SERVER[0]))


@case("CURVE with a wrong key", kinds=("libzmq",))
def wrong_key(run):
    """A client with a wrong key of the server gets nothing in or out, and a client with the right
    one notices nothing."""
    server, client = run.sockets()
    server.request("socket", name="s", type="ROUTER", options=_server_options())
    server.request("bind", name="s", endpoint=_listening(run))
    for name, key in (("wrong", CLIENT[0]), ("right", SERVER[0])):
        client.request("socket", name=name, type="DEALER", options=_client_options(key))
        client.request("connect", name=name, endpoint=run.endpoint())
    client.request("send", name="right", parts=["hello"])
    try:
        client.request("send", name="wrong", parts=["let me in"], timeout=2)
    except TimedOut:
        run.tally["sends refused"] += 1
    parts = server.request("recv", name="s")
    check(_octets(parts[1]) == "68656c6c6f", "received", parts)
    server.request("send", name="s", parts=[parts[0], "welcome"])
    client.request("recv", name="right")
    run.tally["answered"] += 1
    for program, name in ((server, "s"), (client, "wrong")):
        try:
            came = program.request("recv", name=name, timeout=2)
        except TimedOut:
            run.tally["timed out as they must"] += 1
        else:
            check(False, "came through:", came)


def _converse(run, pair, server_options, client_options):
    server, client = run.sockets()
    sends, receives = pair
    # Subscribers connect; otherwise who sends does.
    listener, caller = (sends, receives) if receives == "SUB" else (receives, sends)
    topic = {"SUBSCRIBE": "a"} if receives == "SUB" else {}
    server.request("socket", name="s", type=listener, options=server_options)
    server.request("bind", name="s", endpoint=_listening(run))
    client.request("socket", name="c", type=caller, options=dict(client_options, **topic))
    client.request("connect", name="c", endpoint=run.endpoint())
    if receives == "SUB":
        _published(run, server, client)
    else:
        _numbered(run, server, client, receives == "ROUTER")
    run.finish()


def _numbered(run, server, client, is_answered):
    for number in range(20):
        client.request("send", name="c", parts=["m{}".format(number), "body"])
    for number in range(20):
        parts = server.request("recv", name="s")
        expected = "m{}".format(number).encode().hex()
        check(_octets(parts[-2]) == expected, "expected m{}, received".format(number), parts)
        if is_answered:
            server.request("send", name="s", parts=[parts[0], "reply"])
            check(_octets(client.request("recv", name="c")[0]) == b"reply".hex(), "no reply")
        run.tally["messages"] += 1


def _published(run, server, client):
    """Subscriptions take a moment, so it is published until the first one comes."""
    deadline = time.monotonic() + 20
    while True:
        server.request("send", name="s", parts=["b", "not this"])
        server.request("send", name="s", parts=["a", "this"])
        try:
            parts = client.request("recv", name="c", timeout=0.5)
            break
        except TimedOut:
            check(time.monotonic() < deadline, "nothing was received")
    check(_octets(parts[0]) == b"a".hex(), "received", parts)
    run.tally["messages"] += 1


def _listening(run):
    return run.server_hosts[0].listening(PORT)


def _server_options():
    return {"CURVE_SERVER": 1, "CURVE_SECRETKEY": SERVER[1]}


def _client_options(server_key):
    return {"CURVE_SERVERKEY": server_key, "CURVE_PUBLICKEY": CLIENT[0],
            "CURVE_SECRETKEY": CLIENT[1]}


def _octets(part):
    """Of a part as it is shown: binary or text."""
    return part["$bytes"] if isinstance(part, dict) else part.encode().hex()
