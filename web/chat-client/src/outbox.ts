// Own messages on their way to the server: stored, sent in order, sent again until their fate is known.
//
// Each message carries a `clientId`, and the server takes the same one for the same message however
// often it comes: sending again is always safe. One message per receiver is in flight at a time, so
// that a message that has to be repeated is not overtaken by the one written after it.
import { type Later, backoff } from "./ports.js";
import type { ClientStorage } from "./storage.js";
import { type Ack, type Message, type WireError, isPassing } from "./wire.js";

/** A message of one's own that is not stored by the server yet. */
export interface Entry {
  clientId: string;
  receiverId: string;
  text: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** Why the server refused it; null while it is under way. */
  failure: WireError | null;
}

/** What came of one attempt; null is silence: no answer in time, or the line went down. */
export type Outcome = Ack<{ message: Message }> | null;

/** What the outbox needs from outside. */
export interface OutboxPort {
  /** Makes one attempt and reports its outcome exactly once. Called only while connected. */
  transmit(entry: Entry, done: (outcome: Outcome) => void): void;
  delivered(message: Message, entry: Entry): void;
  refused(entry: Entry): void;
  later: Later;
  storage: ClientStorage;
  /** Keys of the storage begin with this. */
  prefix: string;
}

interface Queue {
  entries: Entry[];
  attempts: number;
  inFlight: boolean;
  cancelWait: (() => void) | null;
}

/** A queue of messages for each receiver. Each entry is stored under a key of its own: tabs don't overwrite each other's. */
export class Outbox {
  private readonly port: OutboxPort;
  private readonly queues = new Map<string, Queue>();
  private connected = false;

  constructor(port: OutboxPort) {
    this.port = port;
    const keys = port.storage.keys().filter((key) => key.startsWith(port.prefix));
    const stored = keys.map((key) => parse(port.storage.get(key))).filter((entry) => entry !== null);
    stored.sort((a, b) => a.createdAt - b.createdAt);
    for (const entry of stored) this.queue(entry.receiverId).entries.push(entry);
  }

  /** How many entries there are, refused ones included. */
  get size(): number {
    return [...this.queues.values()].reduce((sum, { entries }) => sum + entries.length, 0);
  }

  /** Whom entries are for. */
  receivers(): string[] {
    return [...this.queues].filter(([, { entries }]) => entries.length > 0).map(([id]) => id);
  }

  /** What is not stored by the server yet, in the order in which it was written. */
  entries(receiverId: string): readonly Entry[] {
    return this.queues.get(receiverId)?.entries ?? [];
  }

  /** Takes a message over; it leaves at once if it can. */
  add(entry: Entry): void {
    const queue = this.queue(entry.receiverId);
    // Two messages of one millisecond keep their order over a reload.
    const createdAt = Math.max(entry.createdAt, (queue.entries.at(-1)?.createdAt ?? 0) + 1);
    const kept = { ...entry, createdAt };
    queue.entries = [...queue.entries, kept];
    this.store(kept);
    this.advance(queue);
  }

  /** Takes an entry out, whatever its state; answers it. */
  remove(receiverId: string, clientId: string): Entry | null {
    const queue = this.queue(receiverId);
    const entry = queue.entries.find((e) => e.clientId === clientId) ?? null;
    queue.entries = queue.entries.filter((e) => e !== entry);
    this.port.storage.remove(this.port.prefix + clientId);
    return entry;
  }

  /** The line is up: whatever waits goes out now. */
  resume(): void {
    this.connected = true;
    for (const queue of this.queues.values()) {
      stopWaiting(queue);
      queue.attempts = 0;
      this.advance(queue);
    }
  }

  /** The line is down: nothing is tried until `resume`. */
  pause(): void {
    this.connected = false;
    for (const queue of this.queues.values()) stopWaiting(queue);
  }

  private queue(receiverId: string): Queue {
    const queue = this.queues.get(receiverId) ?? { entries: [], attempts: 0, inFlight: false, cancelWait: null };
    this.queues.set(receiverId, queue);
    return queue;
  }

  private advance(queue: Queue): void {
    const entry = queue.entries.find(({ failure }) => failure === null);
    if (entry === undefined || !this.connected || queue.inFlight || queue.cancelWait !== null) return;
    queue.inFlight = true;
    this.port.transmit(entry, (outcome) => {
      queue.inFlight = false;
      this.settle(queue, entry, outcome);
      this.advance(queue);
    });
  }

  private settle(queue: Queue, entry: Entry, outcome: Outcome): void {
    if (outcome?.ok) {
      queue.attempts = 0;
      this.remove(entry.receiverId, entry.clientId);
      this.port.delivered(outcome.message, entry);
    } else if (outcome !== null && !isPassing(outcome.error)) {
      queue.attempts = 0;
      const failed = { ...entry, failure: outcome.error };
      if (!queue.entries.some(({ clientId }) => clientId === entry.clientId)) return;
      queue.entries = queue.entries.map((e) => (e.clientId === entry.clientId ? failed : e));
      this.store(failed);
      this.port.refused(failed);
    } else if (this.connected) {
      const asked = outcome === null ? undefined : outcome.error.retryAfterMs;
      this.waitThenAdvance(queue, asked ?? backoff(queue.attempts));
    }
  }

  private waitThenAdvance(queue: Queue, delayMs: number): void {
    queue.attempts += 1;
    queue.cancelWait = this.port.later(delayMs, () => {
      queue.cancelWait = null;
      this.advance(queue);
    });
  }

  private store(entry: Entry): void {
    this.port.storage.set(this.port.prefix + entry.clientId, JSON.stringify(entry));
  }
}

function parse(stored: string | null): Entry | null {
  try {
    const entry = JSON.parse(stored ?? "null") as Entry | null;
    return typeof entry?.clientId === "string" && typeof entry.receiverId === "string" && typeof entry.text === "string" ? entry : null;
  } catch {
    return null;
  }
}

function stopWaiting(queue: Queue): void {
  queue.cancelWait?.();
  queue.cancelWait = null;
}
