"""One JSON line a check; what must be done from outside is asked for on the same way."""

import asyncio
import json
import sys
import traceback


class Reporter:
    def __init__(self, cannot):
        """`cannot` names the checks that this client is known to be unable to pass."""
        self.failed = False
        self._cannot = cannot

    def say(self, value):
        print(json.dumps(value), flush=True)

    async def check(self, name, run):
        """Runs one check; after a failure the later ones, which build on it, are left out."""
        if self.failed or name in self._cannot:
            return
        try:
            await run()
            self.say({"check": name, "ok": True})
        except BaseException:
            self.failed = True
            self.say({"check": name, "ok": False, "error": traceback.format_exc()})

    async def ask(self, what):
        """Asks the runner for something and waits until it is done."""
        self.say({"ask": what})
        await asyncio.to_thread(sys.stdin.readline)


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {str(got)[:1000]}, wanted {str(wanted)[:1000]}")
