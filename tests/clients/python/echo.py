"""The echo scenario: arguments, attachments, acknowledgements and namespaces, there and back."""

import time

from reporter import same

EVENTS = ["auth", "message-back", "emit-with-ack"]
BURST = 100
AUTH = {"token": "any", "nested": {"list": [1, "two", None]}}


def pattern(length):
    return bytes((n * 31 + (n >> 8)) & 0xFF for n in range(length))


def binary_args():
    """Four attachments, one of them empty, at several depths."""
    return [
        {"head": pattern(256), "list": ["x", b"", {"deep": b"\x00"}], "n": 1},
        pattern(30_000),
        "tail",
    ]


BACK = [{"mine": pattern(77)}, "and text", pattern(3)]


async def echoed(peer, args, namespace="/"):
    await peer.emit("message", *args, namespace=namespace)
    same(await peer.next("message-back", namespace=namespace), args)


async def run(make, job, report):
    url, transport, plain_args = job["url"], job["transport"], job["plainArgs"]
    peer = make(url, transport, AUTH, EVENTS, answer=tuple(BACK))

    async def auth():
        await peer.connect()
        same(await peer.next("auth"), [AUTH])
        peer.reached()

    async def plain():
        await echoed(peer, plain_args)

    async def binary():
        await echoed(peer, binary_args())

    async def ack():
        same(await peer.ask("message-with-ack", *plain_args), plain_args)
        same(await peer.ask("message-with-ack"), [])

    async def ack_binary():
        same(await peer.ask("message-with-ack", *binary_args()), binary_args())

    async def server_ack():
        await peer.emit("emit-with-ack", *binary_args())
        same(await peer.next("emit-with-ack"), binary_args())
        same(await peer.next("emit-with-ack"), BACK)

    async def namespace():
        both = make(url, transport, {"of": "both"}, EVENTS, namespaces=("/", "/custom"))
        await both.connect()
        same(await both.next("auth", "/custom"), [{"of": "both"}])
        await echoed(both, binary_args(), "/custom")
        same(await both.ask("message-with-ack", "custom", namespace="/custom"), ["custom"])
        same(both.pending("message-back"), 0)
        await echoed(both, ["in the main one"])
        await both.disconnect()

    async def unknown_namespace():
        both = make(url, transport, {}, EVENTS, namespaces=("/", "/nowhere"))
        await both.connect(wait=False)
        [error] = await both.next("connect_error", "/nowhere")
        same(error["message"], "Invalid namespace")
        await echoed(both, ["still here"])
        await both.disconnect()

    async def order():
        fresh = make(url, transport, {}, EVENTS)
        await fresh.connect()
        events = [[n, pattern(n)] if n % 2 else [n, "text"] for n in range(BURST)]
        for event in events:
            await fresh.emit("message", *event)
        for event in events:
            same(await fresh.next("message-back"), event)
        await fresh.disconnect()

    async def large():
        await echoed(peer, ["ü€🙂" * 11_111, pattern(300_000)])

    async def heartbeat():
        before = peer.id()
        end = time.monotonic() + job["heartbeatMs"] / 1000
        n = 0
        while time.monotonic() < end:
            await echoed(peer, [n])
            n += 1
        same(peer.id(), before)
        same(peer.pending("disconnect"), 0)

    async def cut():
        before = peer.id()
        await report.ask("cut")
        await peer.next("disconnect")
        await report.ask("mend")
        await peer.next("connect")
        if peer.id() == before:
            raise AssertionError("the id is the old one")
        same(await peer.next("auth"), [AUTH])
        await echoed(peer, binary_args())
        peer.reached()

    async def disconnect():
        before = peer.id()
        await peer.disconnect()
        await peer.next("disconnect")
        await peer.connect()
        if peer.id() == before:
            raise AssertionError("the id is the old one")
        same(await peer.next("auth"), [AUTH])
        await echoed(peer, plain_args)
        await peer.disconnect()

    checks = [auth, plain, binary, ack, ack_binary, server_ack, namespace, unknown_namespace, order, large, heartbeat, cut, disconnect]
    for check in checks:
        await report.check(check.__name__.replace("_", "-"), check)
