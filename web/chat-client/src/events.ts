// What the helper tells.
import type { Entry } from "./outbox.js";
import type { Message, Presence, Typing, WireError } from "./wire.js";

/** The state of the connection, and what to tell about it. */
export type Connection =
  | { status: "connecting" }
  | { status: "online" }
  | { status: "lost" }
  | { status: "refused"; reason: string };

/** Events and their arguments. */
export type ChatEvents = {
  connection: [Connection];
  /** The token is not, or no longer, good. The helper is closed; what is queued stays stored. */
  unauthorized: [message: string];
  /** Messages or queued entries of a conversation changed: draw it anew. */
  conversation: [userId: string];
  /** A message that was not known came in, live or by `sync`: of somebody else or of one's own other device. */
  message: [Message];
  /** Everything from its sender up to a message was read or delivered; null if the message is not known here. */
  receipt: [kind: "read" | "delivered", message: Message | null];
  /** A message that is not known here was edited or deleted. */
  elsewhere: [messageId: string];
  /** A queued message was refused for good. */
  failed: [Entry];
  typing: [Typing];
  /** Who is online changed. */
  presence: [user: Presence, isOnline: boolean];
  /** The list of who is online, once connected. */
  online: [Presence[]];
  /** All that was missed has come. */
  synced: [];
  /** The server no longer knows where this device stood: lists from elsewhere are to be fetched again. */
  reset: [];
  /** Whether somebody is blocked changed. */
  blocks: [userId: string];
  /** A failure that belongs to no request of the helper's. */
  error: [WireError];
};
