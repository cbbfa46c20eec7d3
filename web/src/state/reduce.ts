// The one pure function that says what a thing that happened does to the state.
import type { User } from "../types";
import type { Action } from "./actions";
import { type Conversation, type Listing, type State, conversationWith, withListed } from "./model";
import { log, read, receive, rows } from "./reduce-messages";

/** The state after something happened. What did not change keeps its identity. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "connection":
      return connection(state, action.connection);
    case "notice":
      return { ...state, notice: action.text };
    case "online":
      return online(state, action.users);
    case "presence":
      return presence(state, action);
    case "query":
      return { ...state, query: action.query, directory: { ids: [], next: null } };
    case "directory":
      return directory(state, action);
    case "conversations":
      return rows(state, action);
    case "open":
      return open(state, action.user);
    case "typing":
      return patch(state, action.userId, { typing: action.isTyping });
    case "loading":
      return action.place === "newest"
        ? patch(state, action.userId, { history: "loading", failure: null })
        : patch(state, action.userId, { loadingEarlier: true, failure: null });
    case "load-failed":
      return action.place === "newest"
        ? patch(state, action.userId, { history: "stale", failure: action.reason })
        : patch(state, action.userId, { loadingEarlier: false, failure: action.reason });
    case "loaded":
      return patch(state, action.userId, action.place === "newest" ? { history: "fresh" } : { loadingEarlier: false });
    case "log":
      return log(state, action.userId, action.log);
    case "message":
      return receive(state, action.message);
    case "read":
      return read(state, action.message);
    case "focus":
      return { ...state, focused: action.focused };
  }
}

function patch(state: State, userId: string, change: Partial<Conversation>): State {
  const next = { ...conversationWith(state, userId), ...change };
  return { ...state, conversations: { ...state.conversations, [userId]: next } };
}

/** While the line is down nobody's typing or presence is known. */
function connection(state: State, to: State["connection"]): State {
  if (to.status === "online" || to.status === "connecting") return { ...state, connection: to };
  const conversations: Record<string, Conversation> = {};
  for (const [id, known] of Object.entries(state.conversations)) {
    conversations[id] = { ...known, typing: false };
  }
  return { ...state, connection: to, conversations, hearsPresence: false };
}

function online(state: State, present: readonly { userId: string; username: string }[]): State {
  const users: Record<string, User> = {};
  for (const [id, user] of Object.entries(state.users)) users[id] = user.isOnline ? { ...user, isOnline: false } : user;
  for (const { userId, username } of present) {
    users[userId] = { lastSeen: null, ...users[userId], id: userId, username, isOnline: true };
  }
  return { ...state, users, hearsPresence: true };
}

function presence(state: State, change: Extract<Action, { type: "presence" }>): State {
  const { userId: id, username } = change.user;
  if (id === state.me.id) return state;
  const lastSeen = change.isOnline ? (state.users[id]?.lastSeen ?? null) : change.at;
  const user: User = { id, username, isOnline: change.isOnline, lastSeen };
  const next = { ...state, users: { ...state.users, [id]: user } };
  const silenced = !change.isOnline && state.conversations[id]?.typing === true;
  return silenced ? patch(next, id, { typing: false }) : next;
}

function directory(state: State, page: Extract<Action, { type: "directory" }>): State {
  const users = withListed(state, page.users);
  const listed = page.append ? state.directory.ids : [];
  const ids = [...new Set([...listed, ...page.users.map((user) => user.id)])];
  const next: Listing = { ids, next: page.next };
  return { ...state, users, directory: next };
}

function open(state: State, user: { id: string; username: string } | null): State {
  if (user === null) return { ...state, open: null, focused: null };
  const known = state.users[user.id] ?? { ...user, isOnline: false, lastSeen: null };
  return { ...state, open: user.id, focused: null, users: { ...state.users, [user.id]: known } };
}
