"""`client.py KIND JOB`: puts python-socketio's `Client` or `AsyncClient` through one scenario."""

import asyncio
import importlib.metadata
import json
import os
import sys

import chat
import echo
import peer
from engineio.payload import Payload
from reporter import Reporter


# By default this client takes at most 16 packets a poll and drops the connection at the 17th. Its author's answer
# (python-engineio, issue 142) is to raise the number.
Payload.max_decode_packets = 1000


async def main(kind, job):
    report = Reporter(job.get("cannot", []))
    report.say({"version": importlib.metadata.version("python-socketio")})
    make = {"Client": peer.SyncPeer, "AsyncClient": peer.AsyncPeer}[kind]
    await {"chat": chat.run, "echo": echo.run}[job["scenario"]](make, job, report)
    return report


report = asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
# A thread of the client that still waits for its server would hold up a common exit.
os._exit(1 if report.failed else 0)
