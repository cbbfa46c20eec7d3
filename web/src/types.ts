// The shapes of the REST half of the wire; those of the socket are the helper's.
import type { Message } from "../chat-client/src/index";

export type { HistoryPage, Message, Presence, Typing, WireError } from "../chat-client/src/index";

/** A person as others see them. */
export interface User {
  id: string;
  username: string;
  isOnline: boolean;
  /** RFC 3339; null until a first visit. */
  lastSeen: string | null;
}

/** What registering and logging in answer. */
export interface Grant {
  token: string;
  expiresIn: number;
  user: User & { email: string };
}

/** One row of the conversation list. */
export interface ConversationRow {
  user: User;
  lastMessage: Message;
  unreadCount: number;
}

/** A page of the conversation list, most recent first. */
export interface ConversationPage {
  conversations: ConversationRow[];
  next: string | null;
}

/** A page of the directory. */
export interface UserPage {
  users: User[];
  next: string | null;
}
