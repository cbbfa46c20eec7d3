// The messages of one conversation as a list: pure functions. `seq` decides the order; what a reading
// of a message says never takes back what an earlier reading said.
import type { Message } from "./wire.js";

/** How far one's own message has come. */
export type Tick = "sent" | "delivered" | "read";

/** The tick of one's own stored message. Reading implies delivery. */
export function tickOf(message: Message): Tick {
  if (message.isRead) return "read";
  return message.deliveredAt === undefined ? "sent" : "delivered";
}

/** Two readings of one message as one: later texts win, receipts and deletion stay. */
export function merge(known: Message, other: Message): Message {
  const isOlder = (known.editedAt ?? "") > (other.editedAt ?? "");
  const merged: Message = { ...known, ...other, isRead: known.isRead || other.isRead };
  if (isOlder) Object.assign(merged, { message: known.message, editedAt: known.editedAt });
  if (merged.deletedAt !== undefined) merged.message = "";
  return merged;
}

/** Puts messages in their places; each is there once. Both lists may be in any order and overlap. */
export function put(messages: readonly Message[], arrived: readonly Message[]): readonly Message[] {
  const last = messages.at(-1)?.seq ?? 0;
  const next = arrived[0];
  if (arrived.length === 1 && next !== undefined && next.seq > last) return [...messages, next];
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  for (const message of arrived) {
    const known = bySeq.get(message.seq);
    bySeq.set(message.seq, known === undefined ? message : merge(known, message));
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** A change to a sender's messages up to and including `seq`. */
export function mark(messages: readonly Message[], senderId: string, seq: number, kind: "read" | "delivered", at: string): readonly Message[] {
  const isRead = kind === "read";
  const touched = (m: Message) =>
    m.senderId === senderId && m.seq <= seq && !m.isRead && (isRead || m.deliveredAt === undefined);
  if (!messages.some(touched)) return messages;
  return messages.map((m) => {
    if (!touched(m)) return m;
    const deliveredAt = m.deliveredAt ?? at;
    return isRead ? { ...m, deliveredAt, readAt: m.readAt ?? at, isRead } : { ...m, deliveredAt };
  });
}

/** A message as deleted. */
export function erase(message: Message, at: string): Message {
  return message.deletedAt === undefined ? { ...message, message: "", deletedAt: at } : message;
}

/** The last place where numbers are missing: between this index and the next one; -1 if nowhere. */
export function lastHole(messages: readonly Message[]): number {
  for (let i = messages.length - 2; i >= 0; i -= 1) {
    if ((messages[i + 1]?.seq ?? 0) - (messages[i]?.seq ?? 0) > 1) return i;
  }
  return -1;
}
