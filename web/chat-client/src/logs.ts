// What is known of all conversations, bounded: the lists, and marks that came before their messages.
import { erase, lastHole, mark, put } from "./timeline.js";
import type { Message } from "./wire.js";

/** One conversation's list. `loaded`: its newest page was fetched, and it is kept without holes since. */
export interface Log {
  readonly messages: readonly Message[];
  readonly loaded: boolean;
}

/** How much is kept. */
export interface LogLimits {
  /** Of one conversation; past it the oldest go, and can be loaded again. */
  maxMessages: number;
  /** Past it the conversations longest without news go, those not loaded first. */
  maxConversations: number;
}

type Early = "read" | "delivered" | "deleted";

/** Marks for messages that are not known yet: the newest so many are kept. */
const MAX_EARLY = 200;
const NOTHING: Log = { messages: [], loaded: false };

/** The lists by the other person's id; those with the latest news last. */
export class Logs {
  private readonly me: string;
  private readonly limits: LogLimits;
  private readonly now: () => string;
  private readonly logs = new Map<string, Log>();
  private readonly owners = new Map<string, string>();
  private readonly early = new Map<string, Early>();

  constructor(me: string, limits: LogLimits, now: () => string) {
    this.me = me;
    this.limits = limits;
    this.now = now;
  }

  get(userId: string): Log {
    return this.logs.get(userId) ?? NOTHING;
  }

  ids(): string[] {
    return [...this.logs.keys()];
  }

  loaded(): string[] {
    return [...this.logs].filter(([, { loaded }]) => loaded).map(([id]) => id);
  }

  other(message: Message): string {
    return message.senderId === this.me ? message.receiverId : message.senderId;
  }

  find(messageId: string): Message | null {
    const owner = this.owners.get(messageId);
    if (owner === undefined) return null;
    return this.get(owner).messages.findLast(({ id }) => id === messageId) ?? null;
  }

  /** Takes messages of one conversation in. */
  put(userId: string, arrived: readonly Message[], loaded = this.get(userId).loaded): void {
    const all = put(this.get(userId).messages, arrived.map((message) => this.withEarly(message)));
    this.replace(userId, all.slice(-this.limits.maxMessages), loaded);
    this.evict(userId);
  }

  /** Forgets what stands before an index. */
  trim(userId: string, from: number): void {
    if (from > 0) this.replace(userId, this.get(userId).messages.slice(from), this.get(userId).loaded);
  }

  /** What is known may lack changes: it has to be loaded again. */
  unload(userId: string): void {
    this.replace(userId, [], false);
  }

  /** A conversation that is not loaded is kept from its last hole on. */
  trimToRun(userId: string): void {
    this.trim(userId, lastHole(this.get(userId).messages) + 1);
  }

  /** Up to a message its sender's messages were read or delivered. Null if it is not known (yet). */
  mark(messageId: string, kind: "read" | "delivered"): Message | null {
    const found = this.find(messageId);
    if (found === null) return this.remember(messageId, kind);
    const userId = this.other(found);
    const log = this.get(userId);
    this.logs.set(userId, { ...log, messages: mark(log.messages, found.senderId, found.seq, kind, this.now()) });
    return this.find(messageId);
  }

  /** A message was deleted. Null if it is not known (yet). */
  erase(messageId: string): Message | null {
    const found = this.find(messageId);
    if (found === null) return this.remember(messageId, "deleted");
    const userId = this.other(found);
    const log = this.get(userId);
    const messages = log.messages.map((m) => (m.id === messageId ? erase(m, this.now()) : m));
    this.logs.set(userId, { ...log, messages });
    return this.find(messageId);
  }

  private replace(userId: string, messages: readonly Message[], loaded: boolean): void {
    for (const { id } of this.get(userId).messages) this.owners.delete(id);
    this.logs.delete(userId);
    this.logs.set(userId, { messages, loaded });
    for (const { id } of messages) this.owners.set(id, userId);
  }

  private evict(except: string): void {
    if (this.logs.size <= this.limits.maxConversations) return;
    const ids = [...this.logs.keys()].filter((id) => id !== except);
    const victim = ids.find((id) => !this.get(id).loaded) ?? ids[0];
    if (victim === undefined) return;
    this.replace(victim, [], false);
    this.logs.delete(victim);
  }

  private remember(messageId: string, kind: Early): null {
    const stronger = this.early.get(messageId) === "deleted" || (this.early.get(messageId) === "read" && kind === "delivered");
    if (!stronger) this.early.set(messageId, kind);
    for (const id of this.early.keys()) if (this.early.size > MAX_EARLY) this.early.delete(id);
    return null;
  }

  private withEarly(message: Message): Message {
    const kind = this.early.get(message.id);
    if (kind === undefined) return message;
    this.early.delete(message.id);
    if (kind === "deleted") return erase(message, this.now());
    return mark([message], message.senderId, message.seq, kind, this.now())[0] ?? message;
  }
}
