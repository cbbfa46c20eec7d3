// Everything that can happen to the state.
import type { ConversationRow, Message, Presence, User } from "../types";
import type { Connection, Focused, Log } from "./model";

/** A thing that happened. */
export type Action =
  | { type: "connection"; connection: Connection }
  | { type: "notice"; text: string | null }
  // People
  | { type: "online"; users: readonly Presence[] }
  | { type: "presence"; user: Presence; isOnline: boolean; at: string }
  | { type: "query"; query: string }
  | { type: "directory"; users: readonly User[]; next: string | null; append: boolean }
  // Conversations
  | { type: "conversations"; rows: readonly ConversationRow[]; next: string | null; append: boolean }
  | { type: "open"; user: { id: string; username: string } | null }
  | { type: "typing"; userId: string; isTyping: boolean }
  // Messages
  | { type: "loading"; userId: string; place: "newest" | "earlier" }
  | { type: "loaded"; userId: string; place: "newest" | "earlier" }
  | { type: "load-failed"; userId: string; place: "newest" | "earlier"; reason: string | null }
  /** What the helper knows of a conversation. */
  | { type: "log"; userId: string; log: Log }
  /** A message that is news. */
  | { type: "message"; message: Message }
  /** Everything from its sender up to a message was read. */
  | { type: "read"; message: Message }
  /** One of one's own messages is acted on. */
  | { type: "focus"; focused: Focused | null };
