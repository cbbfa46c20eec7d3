// A client of Engine.IO 3: it is refused, and sees that. What it was answered is looked at by the runner.
import assert from 'node:assert/strict';
import { Peer, options } from './peer.mjs';

export async function refusal(io, { url, transport }, report) {
  await report.check('refused', async () => {
    const peer = new Peer(io(url, { ...options(transport, {}), reconnection: false }), []);
    peer.socket.connect();
    const [error] = await peer.next('connect_error');
    assert.ok(error instanceof Error);
    assert.equal(peer.socket.connected, false);
  });
}
