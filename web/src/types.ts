// The shapes that the server sends and takes: the page's whole knowledge of the wire.

/** A person as others see them. */
export interface User {
  id: string;
  username: string;
  isOnline: boolean;
  /** RFC 3339; null until a first visit. */
  lastSeen: string | null;
}

/** A stored message. */
export interface Message {
  id: string;
  senderId: string;
  receiverId: string;
  message: string;
  /** RFC 3339; for people, it decides no order. */
  timestamp: string;
  isRead: boolean;
  /** 1, 2, 3 … without gaps within a conversation: the order of messages. */
  seq: number;
  /** What the sender named the message; the same name is the same message. */
  clientId?: string;
}

/** What registering and logging in answer. */
export interface Grant {
  token: string;
  expiresIn: number;
  user: User & { email: string };
}

/** A page of messages, oldest first; `next` is the cursor of the page before it. */
export interface HistoryPage {
  otherUserId: string;
  messages: Message[];
  next: string | null;
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

/** The one shape of every failure: in REST bodies, acks, `error` events and `connect_error.data`. */
export interface WireError {
  code: string;
  message: string;
  details?: string;
  retryAfterMs?: number;
}

/** What an acknowledged event answers. */
export type Ack<T> = ({ ok: true } & T) | { ok: false; error: WireError };

/** An entry of `online_users`, and the payload of `user_online` and `user_offline`. */
export interface Presence {
  userId: string;
  username: string;
}

/** The payload of `typing` as the receiver gets it. */
export interface Typing {
  senderId: string;
  username: string;
  isTyping: boolean;
}
