// The messages of one conversation: how pages, live events and read marks come together.
// Everything is decided by `seq`, which has no gaps; times and arrival order decide nothing.
import type { Message } from "../types";

/** The known messages of a conversation, in order, and where earlier ones are to be had. */
export interface Timeline {
  /** Ascending by `seq`, each once. */
  messages: readonly Message[];
  /** Cursor of the page before the first message; null at the conversation's beginning. */
  earlier: string | null;
}

/** Puts one message in its place; a known one is replaced. */
export function insert(messages: readonly Message[], message: Message): readonly Message[] {
  let at = messages.length;
  while (at > 0 && seqAt(messages, at - 1) > message.seq) at -= 1;
  const known = seqAt(messages, at - 1) === message.seq;
  const before = messages.slice(0, known ? at - 1 : at);
  const merged = known ? keepRead(messages[at - 1], message) : message;
  return [...before, merged, ...messages.slice(at)];
}

/**
 * Lays the newest page over what is known. What is known before the page is kept only as far back as
 * it joins the page without a gap: messages that arrived while this device was away may be missing.
 */
export function mergeNewest(known: Timeline, page: readonly Message[], next: string | null): Timeline {
  const first = page[0];
  if (first === undefined) return { messages: known.messages, earlier: null };

  const start = joiningRun(known.messages, first.seq);
  const kept = known.messages.filter((m, i) => i >= start && m.seq < first.seq);
  const messages = known.messages.filter((m) => m.seq >= first.seq).reduce(insertOlder, [...kept, ...page]);
  if (kept.length === 0) return { messages, earlier: next };
  return { messages, earlier: cursorBefore(kept[0]) };
}

/** Puts the page before the first known message in front. */
export function mergeEarlier(known: Timeline, page: readonly Message[], next: string | null): Timeline {
  const first = known.messages[0]?.seq ?? Infinity;
  return { messages: [...page.filter((m) => m.seq < first), ...known.messages], earlier: next };
}

/** Marks everything from `senderId` up to and including `seq` as read. */
export function markRead(messages: readonly Message[], senderId: string, seq: number): readonly Message[] {
  const touched = (m: Message) => !m.isRead && m.senderId === senderId && m.seq <= seq;
  if (!messages.some(touched)) return messages;
  return messages.map((m) => (touched(m) ? { ...m, isRead: true } : m));
}

/** The cursor of the page before a message: its id, unless it begins the conversation. */
function cursorBefore(message: Message | undefined): string | null {
  return message === undefined || message.seq === 1 ? null : message.id;
}

/** The index from which the messages before `seq` follow each other up to it without a gap. */
function joiningRun(messages: readonly Message[], seq: number): number {
  let start = messages.findIndex((m) => m.seq >= seq);
  if (start < 0) start = messages.length;
  let expected = seq - 1;
  while (start > 0 && seqAt(messages, start - 1) === expected) {
    start -= 1;
    expected -= 1;
  }
  return start;
}

/** Inserts what may be an older reading of a message than the one in place: the one in place stays. */
function insertOlder(messages: readonly Message[], message: Message): readonly Message[] {
  const known = messages.find((m) => m.seq === message.seq);
  return insert(messages, known ? keepRead(message, known) : message);
}

/** A message that was read stays read, whichever of its readings comes later. */
function keepRead(known: Message | undefined, message: Message): Message {
  return known?.isRead && !message.isRead ? { ...message, isRead: true } : message;
}

function seqAt(messages: readonly Message[], index: number): number {
  return messages[index]?.seq ?? 0;
}
