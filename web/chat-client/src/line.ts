// The connection: requests with an answer, coming back, and being sent away.
import { OFFLINE, SILENT, ChatError } from "./chat-error.js";
import type { Connection } from "./events.js";
import { type Later, type SocketLike, backoff } from "./ports.js";
import { type Ack, type WireError, isPassing, isWireError } from "./wire.js";

/** What the line tells. */
export interface LineEvents {
  connection(connection: Connection): void;
  unauthorized(message: string): void;
  error(error: WireError): void;
}

/** The server answers every request within 5 s of its arrival; this adds the way there and back. */
const ANSWER_MS = 8_000;
/** After a refusal other than of the token: how long until the next try. */
const REFUSED_RETRY_MS = 15_000;
/** How often a request that is no message is tried before its caller hears that it failed. */
const TRIES = 3;

/** One login's line to the server. */
export class Line {
  private readonly socket: SocketLike;
  private readonly events: LineEvents;
  private readonly later: Later;
  private cancelRetry: (() => void) | null = null;
  private closed = false;

  constructor(socket: SocketLike, later: Later, events: LineEvents) {
    this.socket = socket;
    this.events = events;
    this.later = later;
    socket.on("connect", () => events.connection({ status: "online" }));
    socket.on("disconnect", () => this.lost(null));
    socket.on("connect_error", (error: Error & { data?: unknown }) => {
      if (isWireError(error.data) && error.data.code === "unauthorized") this.rejected(error.data.message);
      else this.lost(isWireError(error.data) ? error.data.message : null);
    });
    socket.on("error", (error: unknown) => {
      if (!isWireError(error)) return;
      if (error.code === "unauthorized") this.rejected(error.message);
      else events.error(error);
    });
  }

  get isUp(): boolean {
    return this.socket.connected && !this.closed;
  }

  connect(): void {
    this.socket.connect();
  }

  close(): void {
    this.closed = true;
    this.cancelRetry?.();
    this.socket.disconnect();
  }

  /** Tries to connect now instead of at the next planned moment. */
  reconnectNow(): void {
    if (this.closed || this.socket.connected) return;
    this.cancelRetry?.();
    this.cancelRetry = null;
    // A manager that waits for its next try ignores `connect`; closing it first ends the wait.
    this.socket.disconnect();
    this.events.connection({ status: "connecting" });
    this.socket.connect();
  }

  /** One attempt; null is silence. Only while the line is up. */
  ask<T>(event: string, payload: unknown, done: (answer: Ack<T> | null) => void): void {
    this.socket.timeout(ANSWER_MS).emit(event, payload, (error, answer) => {
      const failure = error === null ? (answer as { error?: unknown } | null)?.error : undefined;
      if (isWireError(failure) && failure.code === "unauthorized") this.rejected(failure.message);
      done(error === null ? (answer as Ack<T>) : null);
    });
  }

  /** A request that may be repeated, tried a few times. Rejects with a `ChatError`. */
  request<T>(event: string, payload: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const attempt = (tried: number) => {
        if (!this.isUp) return reject(new ChatError(OFFLINE));
        this.ask<T>(event, payload, (answer) => {
          if (answer?.ok) return resolve(answer);
          const error = answer === null ? (this.isUp ? SILENT : OFFLINE) : answer.error;
          const again = answer === null || isPassing(answer.error);
          if (!again || tried + 1 >= TRIES || !this.isUp) return reject(new ChatError(error));
          this.later(error.retryAfterMs ?? backoff(tried), () => attempt(tried + 1));
        });
      };
      attempt(0);
    });
  }

  private lost(reason: string | null): void {
    if (this.closed) return;
    this.events.connection(reason === null ? { status: "lost" } : { status: "refused", reason });
    // The official client does not come back after the server has sent it away; this one does, slowly.
    if (this.socket.active) return;
    this.cancelRetry?.();
    this.cancelRetry = this.later(REFUSED_RETRY_MS, () => this.reconnectNow());
  }

  private rejected(message: string): void {
    if (this.closed) return;
    this.close();
    this.events.unauthorized(message);
  }
}
