// Short ways to make what tests speak of.
import { type State, initialState } from "../src/state/model";
import { reduce } from "../src/state/reduce";
import type { Action } from "../src/state/actions";
import type { Message, User } from "../src/types";

export const ME = "me";
export const ANN = "ann";

/** A message of the conversation with Ann; `from` is ME or ANN. */
export function message(seq: number, from: string = ANN, more: Partial<Message> = {}): Message {
  const receiverId = from === ME ? ANN : ME;
  const timestamp = new Date(Date.UTC(2026, 0, 1, 12, seq)).toISOString();
  return { id: `m${seq}`, senderId: from, receiverId, message: `text ${seq}`, timestamp, isRead: false, seq, ...more };
}

/** The messages `from` to `to`, both included. */
export function run(from: number, to: number, sender: string = ANN): Message[] {
  return Array.from({ length: to - from + 1 }, (_, i) => message(from + i, sender));
}

export function user(id: string, isOnline = false): User {
  return { id, username: id, isOnline, lastSeen: null };
}

/** The state after some things happened to somebody freshly logged in. */
export function after(...actions: Action[]): State {
  return actions.reduce(reduce, initialState({ id: ME, username: ME }));
}
