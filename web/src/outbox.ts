// Own messages on their way to the server: sent in order, sent again until their fate is known.
//
// Each message carries a `clientId`, and the server takes the same one for the same message however
// often it comes: sending again is always safe. One message per receiver is in flight at a time, so
// that a message that has to be repeated is not overtaken by the one written after it.
import type { Ack, Message, WireError } from "./types";

/** A message to send. */
export interface Letter {
  clientId: string;
  receiverId: string;
  text: string;
}

/** What came of one attempt; null is silence: no answer in time, or the line went down. */
export type Outcome = Ack<{ message: Message }> | null;

/** What the outbox needs from outside. */
export interface OutboxPort<L extends Letter> {
  /** Makes one attempt and reports its outcome exactly once. Called only while connected. */
  transmit(letter: L, done: (outcome: Outcome) => void): void;
  delivered(message: Message, letter: L): void;
  refused(letter: L, error: WireError): void;
  /** Calls back later; the returned function cancels that. */
  later(delayMs: number, callback: () => void): () => void;
}

interface Queue<L> {
  letters: L[];
  attempts: number;
  inFlight: boolean;
  cancelWait: (() => void) | null;
}

/** A queue of messages for each receiver. */
export class Outbox<L extends Letter> {
  private readonly queues = new Map<string, Queue<L>>();
  private connected = false;

  constructor(private readonly port: OutboxPort<L>) {}

  /** Takes a message over; it leaves at once if it can. */
  add(letter: L): void {
    const queue = this.queues.get(letter.receiverId) ?? { letters: [], attempts: 0, inFlight: false, cancelWait: null };
    this.queues.set(letter.receiverId, queue);
    queue.letters.push(letter);
    this.advance(queue);
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

  private advance(queue: Queue<L>): void {
    const letter = queue.letters[0];
    if (letter === undefined || !this.connected || queue.inFlight || queue.cancelWait !== null) return;
    queue.inFlight = true;
    this.port.transmit(letter, (outcome) => {
      queue.inFlight = false;
      this.settle(queue, letter, outcome);
      this.advance(queue);
    });
  }

  private settle(queue: Queue<L>, letter: L, outcome: Outcome): void {
    if (outcome !== null && !outcome.ok && !isPassing(outcome.error)) {
      finish(queue);
      this.port.refused(letter, outcome.error);
    } else if (outcome?.ok) {
      finish(queue);
      this.port.delivered(outcome.message, letter);
    } else if (this.connected) {
      const asked = outcome === null ? undefined : outcome.error.retryAfterMs;
      this.waitThenAdvance(queue, asked ?? backoff(queue.attempts));
    }
  }

  private waitThenAdvance(queue: Queue<L>, delayMs: number): void {
    queue.attempts += 1;
    queue.cancelWait = this.port.later(delayMs, () => {
      queue.cancelWait = null;
      this.advance(queue);
    });
  }
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

function backoff(attempts: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** attempts, LONGEST_WAIT_MS);
}

/** Whether the same message may well be taken a little later. */
function isPassing(error: WireError): boolean {
  return error.retryAfterMs !== undefined || error.code === "unavailable" || error.code === "rate_limited";
}

function finish<L>(queue: Queue<L>): void {
  queue.letters.shift();
  queue.attempts = 0;
}

function stopWaiting<L>(queue: Queue<L>): void {
  queue.cancelWait?.();
  queue.cancelWait = null;
}
