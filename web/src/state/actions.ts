// Everything that can happen to the state.
import type { ConversationRow, Message, Presence, User } from "../types";
import type { Connection, Pending } from "./model";

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
  | { type: "load-failed"; userId: string; place: "newest" | "earlier"; reason: string }
  | { type: "newest"; userId: string; messages: readonly Message[]; next: string | null; isFresh: boolean }
  | { type: "earlier"; userId: string; messages: readonly Message[]; next: string | null }
  | { type: "message"; message: Message }
  | { type: "read"; messageId: string }
  // Own messages under way
  | { type: "pending"; pending: Pending }
  | { type: "pending-failed"; pending: Pending; reason: string }
  | { type: "pending-gone"; pending: Pending };
