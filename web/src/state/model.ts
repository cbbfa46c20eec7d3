// The shape of everything the page shows once somebody is logged in.
import type { Conversation as Known, Entry } from "../../chat-client/src/index";
import type { Message, User } from "../types";

/** The state of the connection, and what to tell about it. */
export type Connection =
  | { status: "connecting" }
  | { status: "online" }
  | { status: "lost" }
  | { status: "refused"; reason: string };

/** A message of one's own that has not been acknowledged yet. */
export type Pending = Entry;

/** What the helper knows of a conversation. */
export interface Log extends Known {
  /** Whether one blocks the other side. */
  blocked: boolean;
}

/** A stored message of one's own that is acted on: its actions are shown, its deletion is to be confirmed, its text edited. */
export interface Focused {
  message: Message;
  step: "actions" | "confirm" | "edit";
}

/** What is known of one's conversation with somebody. */
export interface Conversation extends Log {
  /** The newest known message. */
  last: Message | null;
  unread: number;
  /** Everything received up to this `seq` was read on some device of one's own. */
  readSeq: number;
  typing: boolean;
  /** `stale`: the newest messages were not fetched yet. */
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
  /** Whether this connection has told who is online. From then on it is the one that knows: a list was read at some earlier moment. */
  hearsPresence: boolean;
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
  focused: Focused | null;
  /** A failure that belongs to no place in particular. */
  notice: string | null;
}

/** The state right after a login. */
export function initialState(me: State["me"]): State {
  return {
    me,
    connection: { status: "connecting" },
    users: {},
    hearsPresence: false,
    conversations: {},
    moreConversations: null,
    ready: false,
    query: "",
    directory: { ids: [], next: null },
    open: null,
    focused: null,
    notice: null,
  };
}

/** A conversation of which nothing is known. */
export const emptyConversation: Conversation = {
  messages: [],
  loaded: false,
  hasEarlier: false,
  pending: [],
  blocked: false,
  last: null,
  unread: 0,
  readSeq: 0,
  typing: false,
  history: "stale",
  loadingEarlier: false,
  failure: null,
};

/** Puts people of a list that the server read a while ago among those who are known. */
export function withListed(state: State, listed: readonly User[]): State["users"] {
  const users = { ...state.users };
  for (const user of listed) {
    users[user.id] = state.hearsPresence ? { ...user, isOnline: users[user.id]?.isOnline ?? false } : user;
  }
  return users;
}

/** The other side of a message. */
export function otherSide(state: State, message: Message): string {
  return message.senderId === state.me.id ? message.receiverId : message.senderId;
}

/** The conversation with somebody, also when nothing was said yet. */
export function conversationWith(state: State, userId: string): Conversation {
  return state.conversations[userId] ?? emptyConversation;
}
