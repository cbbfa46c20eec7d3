// A TCP proxy before a server: sees which transports a client really uses, and can cut the network.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const REQUEST_LINE = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n/;

/** `{url, requests, answers(), cut(), mend(), close()}`: requests as `{method, query}`, answers as the bytes of each connection. */
export async function startProxy(port) {
  const links = new Set();
  const requests = [];
  const answers = [];
  let down = false;
  const server = createServer((client) => {
    if (down) return client.on('error', () => {}).destroy();
    const upstream = connect(port, '127.0.0.1');
    const link = { answer: '' };
    answers.push(link);
    const end = () => {
      client.destroy();
      upstream.destroy();
      links.delete(end);
    };
    links.add(end);
    for (const side of [client, upstream]) {
      side.setNoDelay(true);
      side.on('error', end);
      side.on('close', end);
    }
    client.on('data', (chunk) => {
      // No client pipelines, so a request begins where a chunk begins; frames never look like one.
      const [, method, path] = REQUEST_LINE.exec(chunk.toString('latin1')) ?? [];
      if (method) requests.push({ method, query: new URL(path, 'http://localhost').searchParams });
    });
    upstream.on('data', (chunk) => {
      if (link.answer.length < 4096) link.answer += chunk.toString('latin1');
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  /** Ends every connection, and each new one until the network is mended. */
  const cut = () => {
    down = true;
    [...links].forEach((end) => end());
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    answers: () => answers.map(({ answer }) => answer),
    cut,
    mend: () => (down = false),
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
