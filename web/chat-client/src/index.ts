// What the package offers.
export { ChatClient, type ChatOptions, type Conversation } from "./chat-client.js";
export { ChatError } from "./chat-error.js";
export type { ChatEvents, Connection } from "./events.js";
export type { Entry } from "./outbox.js";
export type { Later, SocketLike } from "./ports.js";
export { type ClientStorage, browserStorage, memoryStorage } from "./storage.js";
export { type Tick, tickOf } from "./timeline.js";
export { TypingSignal } from "./typing.js";
export * from "./wire.js";
