// Node's socket.io, made to do what the echo server does.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

function echo(socket) {
  socket.emit('auth', socket.handshake.auth);
  const plain = (args) => args.filter((arg) => typeof arg !== 'function');
  socket.on('message', (...args) => socket.emit('message-back', ...plain(args)));
  socket.on('message-with-ack', (...args) => {
    const answer = args.at(-1);
    if (typeof answer === 'function') answer(...plain(args));
  });
  socket.on('emit-with-ack', (...args) => {
    socket.emit('emit-with-ack', ...plain(args), (...back) => socket.emit('emit-with-ack', ...back));
  });
}

/** Starts Node's server on a free port: `{url, stop()}`. Times are in ms. */
export async function startNode({ pingInterval, pingTimeout, connectTimeout }) {
  const http = createServer();
  const times = { pingInterval, pingTimeout, connectTimeout, upgradeTimeout: connectTimeout };
  const io = new Server(http, { ...times, maxHttpBufferSize: 1_000_000, serveClient: false });
  for (const nsp of ['/', '/custom']) io.of(nsp).on('connection', echo);
  await new Promise((done) => http.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${http.address().port}`, stop: () => io.close() };
}
