// What messages, read marks and rows of the conversation list do to the state.
import type { Message } from "../types";
import type { Action } from "./actions";
import { insert, markRead } from "./messages";
import { type Conversation, type Pending, type State, conversationWith, emptyConversation, otherSide } from "./model";

/** `unreadCount` of the server stops here, and so does ours. */
export const UNREAD_CAP = 100;

/** A stored message: somebody else's, one of one's other devices, or the confirmation of one under way. */
export function receive(state: State, message: Message): State {
  const other = otherSide(state, message);
  const known = conversationWith(state, other);
  const received = message.senderId === other;
  const isNew = message.seq > (known.last?.seq ?? 0);
  const unread = received && isNew && !message.isRead;
  return replace(state, other, {
    ...known,
    messages: insert(known.messages, message),
    last: isNew ? message : known.last,
    unread: unread ? Math.min(known.unread + 1, UNREAD_CAP) : known.unread,
    typing: received ? false : known.typing,
    pending: received ? known.pending : known.pending.filter((p) => p.clientId !== message.clientId),
  });
}

/** A read mark: of one's own message by the other, or of a received one by any device of one's own. */
export function read(state: State, messageId: string): State {
  const found = findMessage(state, messageId);
  if (found === null) return state;
  const { other, message } = found;
  const known = conversationWith(state, other);
  const messages = markRead(known.messages, message.senderId, message.seq);
  const last = known.last === null ? null : (markRead([known.last], message.senderId, message.seq)[0] ?? null);
  if (message.senderId === state.me.id) return replace(state, other, { ...known, messages, last });

  const readSeq = Math.max(known.readSeq, message.seq);
  return replace(state, other, { ...known, messages, last, readSeq, unread: unreadAfter(known, other, readSeq) });
}

/** Where a message is, if this page knows it. */
export function findMessage(state: State, messageId: string): { other: string; message: Message } | null {
  for (const [other, { messages, last }] of Object.entries(state.conversations)) {
    const message = last?.id === messageId ? last : messages.find((m) => m.id === messageId);
    if (message !== undefined) return { other, message };
  }
  return null;
}

/** A page of the conversation list; what arrived live since the server read it stays. */
export function rows(state: State, page: Extract<Action, { type: "conversations" }>): State {
  const users = { ...state.users };
  const conversations = { ...state.conversations };
  for (const { user, lastMessage, unreadCount } of page.rows) {
    users[user.id] = user;
    const known = conversations[user.id] ?? emptyConversation;
    if (known.last !== null && known.last.seq > lastMessage.seq) continue;
    const unread = known.readSeq >= lastMessage.seq ? 0 : unreadCount;
    conversations[user.id] = { ...known, last: lastMessage, unread };
  }
  const moreConversations = page.append || !state.ready ? page.next : state.moreConversations;
  return { ...state, users, conversations, moreConversations, ready: true };
}

/** A message under way that was refused, or (without a reason) given up or taken up again. */
export function settlePending(state: State, pending: Pending, failure: string | null): State {
  const known = conversationWith(state, pending.receiverId);
  const others = known.pending.filter((p) => p.clientId !== pending.clientId);
  if (failure === null) return replace(state, pending.receiverId, { ...known, pending: others });
  const left = known.pending.map((p) => (p.clientId === pending.clientId ? { ...p, failure } : p));
  return replace(state, pending.receiverId, { ...known, pending: left });
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
