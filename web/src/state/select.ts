// What the views read out of the state.
import type { User } from "../types";
import { type Conversation, type Pending, type State, conversationWith } from "./model";

/** A conversation with the person it is with. */
export interface ConversationEntry {
  user: User;
  conversation: Conversation;
}

/** Conversations in which something was said, most recent first, narrowed by the query. */
export function conversationEntries(state: State): ConversationEntry[] {
  const entries: ConversationEntry[] = [];
  for (const [id, conversation] of Object.entries(state.conversations)) {
    const user = state.users[id];
    if (user !== undefined && spoken(conversation) && matches(state, user)) entries.push({ user, conversation });
  }
  return entries.sort((a, b) => lastTime(b.conversation) - lastTime(a.conversation));
}

/** Everybody else who is known to match the query, those online first. */
export function people(state: State): User[] {
  const ids = new Set(state.directory.ids);
  for (const user of Object.values(state.users)) if (user.isOnline) ids.add(user.id);
  const others: User[] = [];
  for (const id of ids) {
    const user = state.users[id];
    if (user !== undefined && matches(state, user) && !spoken(conversationWith(state, id))) others.push(user);
  }
  return others.sort((a, b) => Number(b.isOnline) - Number(a.isOnline) || collator.compare(a.username, b.username));
}

/** How many messages wait to be read, over all conversations that are known. */
export function unreadTotal(state: State): number {
  return Object.values(state.conversations).reduce((sum, { unread }) => sum + unread, 0);
}

/** The time of the last thing said, milliseconds since the epoch. */
export function lastTime({ last, pending }: Conversation): number {
  const stored = last === null ? 0 : Date.parse(last.timestamp);
  return Math.max(stored, pending.at(-1)?.createdAt ?? 0);
}

/** The last thing said: stored, or still under way. */
export function lastSaid({ last, pending }: Conversation): { text: string; senderId: string | null } | null {
  const unsent: Pending | undefined = pending.at(-1);
  if (unsent !== undefined) return { text: unsent.text, senderId: null };
  if (last === null) return null;
  return { text: last.deletedAt === undefined ? last.message : "Message deleted", senderId: last.senderId };
}

const collator = new Intl.Collator("en", { numeric: true });

function spoken({ last, pending }: Conversation): boolean {
  return last !== null || pending.length > 0;
}

function matches(state: State, user: User): boolean {
  return user.username.toLowerCase().startsWith(state.query.trim().toLowerCase());
}
