// What messages, read marks and rows of the conversation list do to the state.
import type { Message } from "../types";
import type { Action } from "./actions";
import { type Conversation, type Log, type State, conversationWith, emptyConversation, otherSide, withListed } from "./model";

/** `unreadCount` of the server stops here, and so does ours. */
export const UNREAD_CAP = 100;

/** What the helper knows of a conversation now. */
export function log(state: State, userId: string, log: Log): State {
  const known = conversationWith(state, userId);
  const newest = log.messages.at(-1);
  const last = newest !== undefined && newest.seq >= (known.last?.seq ?? 0) ? newest : known.last;
  const history = log.loaded ? "fresh" : known.history === "fresh" ? "stale" : known.history;
  const next = replace(state, userId, { ...known, ...log, last, history });
  const { focused } = state;
  if (focused === null) return next;
  // What one acts on may be deleted on another device meanwhile.
  const now = log.messages.find(({ id }) => id === focused.message.id);
  return now === undefined || now === focused.message ? next : { ...next, focused: now.deletedAt === undefined ? { ...focused, message: now } : null };
}

/** News: somebody else's message, or one of one's other devices. */
export function receive(state: State, message: Message): State {
  const other = otherSide(state, message);
  const known = conversationWith(state, other);
  const received = message.senderId === other;
  const isNew = message.seq > (known.last?.seq ?? 0);
  const unread = received && isNew && !message.isRead;
  return replace(state, other, {
    ...known,
    last: isNew ? message : known.last,
    unread: unread ? Math.min(known.unread + 1, UNREAD_CAP) : known.unread,
    typing: received ? false : known.typing,
  });
}

/** A received message was read on some device of one's own. */
export function read(state: State, message: Message): State {
  if (message.senderId === state.me.id) return state;
  const known = conversationWith(state, message.senderId);
  const readSeq = Math.max(known.readSeq, message.seq);
  return replace(state, message.senderId, { ...known, readSeq, unread: unreadAfter(known, message.senderId, readSeq) });
}

/** A page of the conversation list; what arrived live since the server read it stays. */
export function rows(state: State, page: Extract<Action, { type: "conversations" }>): State {
  const users = withListed(state, page.rows.map(({ user }) => user));
  const conversations = { ...state.conversations };
  for (const { user, lastMessage, unreadCount } of page.rows) {
    const known = conversations[user.id] ?? emptyConversation;
    if (known.last !== null && known.last.seq > lastMessage.seq) continue;
    const unread = known.readSeq >= lastMessage.seq ? 0 : unreadCount;
    conversations[user.id] = { ...known, last: lastMessage, unread };
  }
  const moreConversations = page.append || !state.ready ? page.next : state.moreConversations;
  return { ...state, users, conversations, moreConversations, ready: true };
}

/** How many received messages follow `readSeq`. All of them are known: live ones are kept as they come. */
function unreadAfter(known: Conversation, other: string, readSeq: number): number {
  if ((known.last?.seq ?? 0) <= readSeq) return 0;
  const after = known.messages.filter((m) => m.senderId === other && m.seq > readSeq).length;
  return Math.min(after, known.unread);
}

function replace(state: State, userId: string, conversation: Conversation): State {
  return { ...state, conversations: { ...state.conversations, [userId]: conversation } };
}
