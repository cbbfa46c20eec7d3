// The shapes that the server sends and takes over the socket.

/** A stored message. */
export interface Message {
  id: string;
  senderId: string;
  receiverId: string;
  /** Empty once the message is deleted. */
  message: string;
  /** RFC 3339; for people, it decides no order. */
  timestamp: string;
  isRead: boolean;
  /** 1, 2, 3 … without gaps within a conversation: the order of messages. */
  seq: number;
  /** What the sender named the message; the same name is the same message. */
  clientId?: string;
  /** RFC 3339, set at the latest when the message is read. */
  deliveredAt?: string;
  readAt?: string;
  editedAt?: string;
  deletedAt?: string;
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

/** A page of messages, oldest first. */
export interface HistoryPage {
  otherUserId: string;
  messages: Message[];
  next: string | null;
}

/** A page of what changed since a cursor. */
export interface SyncPage {
  events: { type: string; message?: Message }[];
  cursor: string;
  complete: boolean;
}

/** An entry of `online_users` and of `get_blocked`, and the payload of `user_online` and `user_offline`. */
export interface Presence {
  userId: string;
  username: string;
}

/** A page of those whom one blocks. */
export interface BlockedPage {
  blocked: Presence[];
  next: string | null;
}

/** The payload of `typing` as the receiver gets it. */
export interface Typing {
  senderId: string;
  username: string;
  isTyping: boolean;
}

/** Whether something off the wire has the shape of a failure. */
export function isWireError(value: unknown): value is WireError {
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Partial<WireError>;
  return typeof code === "string" && typeof message === "string";
}

/** Whether the same request may well be taken a little later. */
export function isPassing(error: WireError): boolean {
  return error.retryAfterMs !== undefined || error.code === "unavailable" || error.code === "rate_limited";
}
