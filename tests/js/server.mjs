// The one door for tests: starts the real binary and re-exports the helpers that speak to it.
//
//   const server = await startServer({ env: { PRESENCE_GRACE_MS: '200' } });
//   const ann = await register(server.url);          // {token, user: {id, username, …}, password}
//   const socket = await connect(server.url, ann.token, { transports: ['websocket'] });
//   await emitAck(socket, 'private_message', { receiverId, message: 'hi' });
//   const message = await nextEvent(socket, 'private_message');
//   closeAll(); await server.stop();
//
// STORE=mongo has every server store in a database of its own on a real MongoDB-wire server, instead of in its folder.
// CHAT_SERVER_BIN names another binary; CHAT_URL a server that runs already (then stop() does nothing,
// and tests that need a process of their own are skipped).
export {
  startServer,
  runCommand,
  killAll,
  residentBytes,
  SERVER_BIN,
  REMOTE,
  STORE,
  onlyEmbedded,
  onlyMongo,
} from './support/process.mjs';
export { temporaryFolder, freePort, until } from './support/machine.mjs';
export { mongoServer, newDatabase, withMongoose } from './support/mongo.mjs';
export { JWT_SECRET, signToken, unsignedToken } from './support/tokens.mjs';
export { request, rawHttp, rest, register, registerMany, login, uniqueName } from './support/http.mjs';
export {
  connect,
  refusedConnect,
  upgraded,
  disconnected,
  TRANSPORTS,
  closeAll,
  emitAck,
  ok,
  okInTime,
  fails,
  nextEvent,
  pending,
  fence,
  send,
} from './support/client.mjs';
export { twoPeople } from './support/people.mjs';
export { assertError, assertMessage, assertUser, OBJECT_ID, TIME } from './support/shapes.mjs';
export { cuttable } from './support/network.mjs';
export { RawWebSocket, OPCODE } from './support/websocket.mjs';
export { PollingSession, PacketSocket } from './support/engine.mjs';
export { assertComplete, wholeConversation } from './support/conversation.mjs';
