// The shape of everything the page shows once somebody is logged in.
import type { Message, User } from "../types";
import type { Timeline } from "./messages";

/** The state of the connection, and what to tell about it. */
export type Connection =
  | { status: "connecting" }
  | { status: "online" }
  | { status: "lost" }
  | { status: "refused"; reason: string };

/** A message of one's own that has not been acknowledged yet. */
export interface Pending {
  clientId: string;
  receiverId: string;
  text: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** Why the server refused it; null while it is under way. */
  failure: string | null;
}

/** What is known of one's conversation with somebody. */
export interface Conversation extends Timeline {
  /** The newest known message. */
  last: Message | null;
  unread: number;
  /** Everything received up to this `seq` was read on some device of one's own. */
  readSeq: number;
  /** Own messages under way, in the order in which they were written. */
  pending: readonly Pending[];
  typing: boolean;
  /** `stale`: there may be messages that were not fetched yet. */
  history: "stale" | "loading" | "fresh";
  loadingEarlier: boolean;
  /** What went wrong while loading, for people. */
  failure: string | null;
}

/** A paged list of names. */
export interface Listing {
  ids: readonly string[];
  next: string | null;
}

/** Everything. */
export interface State {
  me: { id: string; username: string };
  connection: Connection;
  users: Readonly<Record<string, User>>;
  conversations: Readonly<Record<string, Conversation>>;
  /** Cursor for more of the conversation list. */
  moreConversations: string | null;
  /** Whether the conversation list was fetched once. */
  ready: boolean;
  query: string;
  /** People of the directory that match the query. */
  directory: Listing;
  /** The person whose conversation is open. */
  open: string | null;
  /** A failure that belongs to no place in particular. */
  notice: string | null;
}

/** The state right after a login. */
export function initialState(me: State["me"]): State {
  return {
    me,
    connection: { status: "connecting" },
    users: {},
    conversations: {},
    moreConversations: null,
    ready: false,
    query: "",
    directory: { ids: [], next: null },
    open: null,
    notice: null,
  };
}

/** A conversation of which nothing is known. */
export const emptyConversation: Conversation = {
  messages: [],
  earlier: null,
  last: null,
  unread: 0,
  readSeq: 0,
  pending: [],
  typing: false,
  history: "stale",
  loadingEarlier: false,
  failure: null,
};

/** The other side of a message. */
export function otherSide(state: State, message: Message): string {
  return message.senderId === state.me.id ? message.receiverId : message.senderId;
}

/** The conversation with somebody, also when nothing was said yet. */
export function conversationWith(state: State, userId: string): Conversation {
  return state.conversations[userId] ?? emptyConversation;
}
