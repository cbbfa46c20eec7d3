// Walks through what this device missed, from where it stood, page by page.
import type { Line } from "./line.js";
import { type Later, backoff } from "./ports.js";
import type { ClientStorage } from "./storage.js";
import type { Ack, Message, SyncPage } from "./wire.js";

/** What a walk needs. */
export interface SyncPort {
  line: Line;
  later: Later;
  storage: ClientStorage;
  key: string;
  /** A page came; messages are in their current state, in no order to rely on. */
  page(messages: Message[]): void;
  /** The server does not know the cursor: what is known here may lack changes. */
  reset(): void;
  done(): void;
}

const PAGE = 500;

/** Keeps the cursor. It is stored only after a page was taken in: a page that is lost comes again. */
export class Sync {
  private readonly port: SyncPort;
  private cursor: string | null;
  /** Counts walks: an answer to one that is over means nothing. */
  private turn = 0;
  private isWalking = false;

  constructor(port: SyncPort) {
    this.port = port;
    this.cursor = port.storage.get(port.key);
  }

  get walking(): boolean {
    return this.isWalking;
  }

  /** Begins a walk, from where the last one ended. */
  start(): void {
    this.turn += 1;
    this.isWalking = true;
    this.ask(this.turn, 0);
  }

  /** The line is down. */
  stop(): void {
    this.turn += 1;
    this.isWalking = false;
  }

  private ask(turn: number, tried: number): void {
    const { line, later } = this.port;
    if (turn !== this.turn || !line.isUp) return;
    const payload = this.cursor === null ? {} : { since: this.cursor, limit: PAGE };
    line.ask<SyncPage>("sync", payload, (answer) => {
      if (turn !== this.turn) return;
      if (answer?.ok) return this.took(turn, answer);
      if (answer !== null && !answer.ok && this.startOver(answer)) return this.ask(turn, 0);
      const wait = answer === null ? undefined : answer.error.retryAfterMs;
      later(wait ?? backoff(tried), () => this.ask(turn, tried + 1));
    });
  }

  private took(turn: number, { events, cursor, complete }: SyncPage): void {
    const stands = cursor === this.cursor;
    this.port.page(events.flatMap(({ type, message }) => (type === "message" && message !== undefined ? [message] : [])));
    this.cursor = cursor;
    this.port.storage.set(this.port.key, cursor);
    // A walk that does not move would never end.
    if (!complete && !stands) return this.ask(turn, 0);
    this.isWalking = false;
    this.port.done();
  }

  private startOver(answer: Ack<SyncPage> & { ok: false }): boolean {
    if (answer.error.code !== "invalid_input" || this.cursor === null) return false;
    this.cursor = null;
    this.port.storage.remove(this.port.key);
    this.port.reset();
    return true;
  }
}
