// A network that breaks when a test wants it to.
import net from 'node:net';
import { until } from './machine.mjs';

/**
 * Stands between client and server. `cut()` ends all links on both sides; `lose()` ends them on the client's side only, so
 * that the server does not notice. Both wait for a link: a polling client is without one between its requests.
 */
export async function cuttable(url) {
  const { hostname, port } = new URL(url);
  const links = new Set();
  const proxy = net.createServer((client) => {
    const upstream = net.connect(Number(port), hostname);
    const link = { client, upstream, isLost: false };
    links.add(link);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const end of [client, upstream]) {
      end.on('error', () => {});
      end.on('close', () => {
        if (link.isLost && end === client) return;
        [client, upstream].forEach((other) => other.destroy());
        links.delete(link);
      });
    }
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  const endAll = () => links.forEach(({ client, upstream }) => [client, upstream].forEach((end) => end.destroy()));
  const someLink = () => until('a link to cut', () => [...links].some((link) => !link.isLost));
  return {
    url: `http://127.0.0.1:${proxy.address().port}`,
    cut: async () => {
      await someLink();
      endAll();
    },
    lose: async () => {
      await someLink();
      for (const link of links) {
        link.isLost = true;
        link.client.unpipe(link.upstream);
        link.upstream.unpipe(link.client);
        link.upstream.resume();
        link.client.destroy();
      }
    },
    close: () => {
      endAll();
      return new Promise((done) => proxy.close(done));
    },
  };
}
