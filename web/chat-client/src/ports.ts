// What the helper needs from outside: a socket and timers.

/** As much of a `socket.io-client` socket as is used here. */
export interface SocketLike {
  readonly connected: boolean;
  /** Whether the client comes back by itself. */
  readonly active: boolean;
  on(event: string, listener: (...args: never[]) => void): unknown;
  timeout(ms: number): { emit(event: string, payload: unknown, ack: (error: unknown, answer: unknown) => void): unknown };
  connect(): unknown;
  disconnect(): unknown;
}

/** Calls back later; the returned function cancels that. */
export type Later = (delayMs: number, callback: () => void) => () => void;

/** Timers of the platform. */
export const later: Later = (delayMs, callback) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};

/** 128 random bits. `crypto.randomUUID` would do, but exists on https and localhost only. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** How long to wait after a failure that named no time: longer each time, up to ten seconds. */
export function backoff(attempts: number): number {
  return Math.min(500 * 2 ** attempts, 10_000);
}
