"""One connection of the client under test, with an inbox: every event is kept from the first on.

The scenarios are written once, as coroutines; the synchronous client's calls run in threads of their own.
"""

import asyncio

import socketio

WAIT_SECONDS = 15
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
OPTIONS = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.2, "handle_sigint": False}


class Peer:
    """Keeps the events of these names and the client's own ones, as (namespace, name, arguments)."""

    def __init__(self, url, transport, auth, names, namespaces=("/",), answer=None):
        self.sio = self.make()
        self._url = url
        self._transport = transport
        self._auth = auth
        self._namespaces = list(namespaces)
        self._inbox = []
        self._arrived = asyncio.Condition()
        self._loop = asyncio.get_running_loop()
        for namespace in namespaces:
            for name in ["connect", "connect_error", "disconnect", *names]:
                self.sio.on(name, self._handler(namespace, name, answer), namespace=namespace)

    def _handler(self, namespace, name, answer):
        own = name in ("connect", "connect_error", "disconnect")

        def handle(*args):
            self._from_any_thread(self._keep, (namespace, name, args))
            return None if own else answer

        return handle

    def _from_any_thread(self, then, *args):
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(then(*args)))

    async def _keep(self, event):
        async with self._arrived:
            self._inbox.append(event)
            self._arrived.notify_all()

    def _take(self, namespace, name):
        for at, event in enumerate(self._inbox):
            if event[:2] == (namespace, name):
                return self._inbox.pop(at)
        return None

    async def next(self, name, namespace="/"):
        """Takes the next event of this name: its arguments."""
        found = None

        def there():
            nonlocal found
            found = self._take(namespace, name)
            return found is not None

        async def wait():
            async with self._arrived:
                await self._arrived.wait_for(there)

        try:
            await asyncio.wait_for(wait(), WAIT_SECONDS)
        except asyncio.TimeoutError:
            raise AssertionError(f"no {name} in {WAIT_SECONDS} s; there were {str(self._inbox)[:2000]}") from None
        return list(found[2])

    def pending(self, name, namespace="/"):
        """How many events of this name nobody has taken."""
        return sum(event[:2] == (namespace, name) for event in self._inbox)

    async def connect(self, wait=True):
        await self.do(
            self.sio.connect,
            self._url,
            auth=self._auth,
            transports=TRANSPORTS[self._transport],
            namespaces=self._namespaces,
            wait=wait,
            wait_timeout=WAIT_SECONDS,
        )
        await self.next("connect")
        return self

    async def returned(self):
        """Waits until the connection is lost and the client has come back by itself."""
        await self.next("disconnect")
        await self.next("connect")

    async def disconnect(self):
        await self.do(self.sio.disconnect)

    async def emit(self, name, *args, namespace="/"):
        await self.do(self.sio.emit, name, tuple(args), namespace=namespace)

    async def ask(self, name, *args, namespace="/"):
        """Emits and waits for the acknowledgement: its arguments."""
        answered = self._loop.create_future()

        async def settle(back):
            answered.set_result(back)

        def callback(*back):
            self._from_any_thread(settle, list(back))

        await self.do(self.sio.emit, name, tuple(args), namespace=namespace, callback=callback)
        return await asyncio.wait_for(answered, WAIT_SECONDS)

    def id(self):
        return self.sio.get_sid("/")

    def reached(self):
        """Checks that the transport asked for is the one in use: this client upgrades before `connect` returns."""
        wanted = "polling" if self._transport == "polling" else "websocket"
        if self.sio.transport() != wanted:
            raise AssertionError(f"connected over {self.sio.transport()}")


class SyncPeer(Peer):
    def make(self):
        return socketio.Client(**OPTIONS)

    async def do(self, call, *args, **kwargs):
        await asyncio.to_thread(call, *args, **kwargs)


class AsyncPeer(Peer):
    def make(self):
        return socketio.AsyncClient(**OPTIONS)

    async def do(self, call, *args, **kwargs):
        await call(*args, **kwargs)
