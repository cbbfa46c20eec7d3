// A conversation as it is drawn: day separators, messages in groups, own ones with their fate.
import { tickOf } from "../../chat-client/src/index";
import { dayKey, dayLabel } from "../format";
import type { Message } from "../types";
import type { Conversation, Pending } from "./model";

/** What became of one's own message. */
export type Fate = "sending" | "failed" | "sent" | "delivered" | "read";

/** A message to draw. */
export interface Bubble {
  kind: "message";
  key: string;
  id: string | null;
  text: string;
  mine: boolean;
  /** Milliseconds since the epoch. */
  time: number;
  /** Null for what others wrote. */
  fate: Fate | null;
  edited: boolean;
  deleted: boolean;
  /** Set while the message is not stored. */
  pending: Pending | null;
  /** Set once it is. */
  message: Message | null;
  /** First and last of a run of messages by one person within a short time. */
  first: boolean;
  last: boolean;
}

/** A line between days. */
export interface Day {
  kind: "day";
  key: string;
  label: string;
}

/** What is drawn below one another. */
export type Line = Bubble | Day;

const GROUP_MS = 5 * 60_000;

/** The lines of a conversation, oldest first. */
export function linesOf(conversation: Conversation, me: string, now: number): Line[] {
  // Single messages that are known before the history is there would only flicker.
  const known = conversation.loaded ? stored(conversation, me) : [];
  const bubbles = [...known, ...conversation.pending.map(underWay)];
  const lines: Line[] = [];
  bubbles.forEach((bubble, index) => {
    const before = bubbles[index - 1];
    const after = bubbles[index + 1];
    const day = dayKey(bubble.time);
    if (before === undefined || dayKey(before.time) !== day) {
      lines.push({ kind: "day", key: `day ${day}`, label: dayLabel(bubble.time, now) });
    }
    lines.push({ ...bubble, first: !together(before, bubble), last: !together(bubble, after) });
  });
  return lines;
}

function stored({ messages }: Conversation, me: string): Bubble[] {
  return messages.map((message) => {
    const mine = message.senderId === me;
    return {
      kind: "message",
      // An own message keeps its key, and so its element, when it changes from under way to stored.
      key: mine && message.clientId !== undefined ? `own ${message.clientId}` : message.id,
      id: message.id,
      text: message.message,
      mine,
      time: Date.parse(message.timestamp),
      fate: mine && message.deletedAt === undefined ? tickOf(message) : null,
      edited: message.editedAt !== undefined && message.deletedAt === undefined,
      deleted: message.deletedAt !== undefined,
      pending: null,
      message,
      first: true,
      last: true,
    };
  });
}

function underWay(pending: Pending): Bubble {
  return {
    kind: "message",
    key: `own ${pending.clientId}`,
    id: null,
    text: pending.text,
    mine: true,
    time: pending.createdAt,
    fate: pending.failure === null ? "sending" : "failed",
    edited: false,
    deleted: false,
    pending,
    message: null,
    first: true,
    last: true,
  };
}

function together(a: Bubble | undefined, b: Bubble | undefined): boolean {
  if (a === undefined || b === undefined || a.mine !== b.mine || a.fate === "failed") return false;
  return b.time - a.time < GROUP_MS && dayKey(a.time) === dayKey(b.time);
}
