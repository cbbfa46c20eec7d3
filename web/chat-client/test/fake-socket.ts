// A socket of which the test is the server.
import type { SocketLike } from "../src/index.js";

/** Something emitted, to be answered or lost. */
export interface Emitted {
  event: string;
  payload: Record<string, unknown>;
  answer(answer: unknown): void;
  lose(): void;
}

/** Keeps what was emitted, and hears what the test says. */
export class FakeSocket implements SocketLike {
  connected = false;
  active = true;
  connects = 0;
  readonly emitted: Emitted[] = [];
  private readonly listeners = new Map<string, (...args: never[]) => void>();

  on(event: string, listener: (...args: never[]) => void): void {
    this.listeners.set(event, listener);
  }

  timeout() {
    return {
      emit: (event: string, payload: unknown, ack: (error: unknown, answer: unknown) => void) => {
        let open = true;
        const end = (error: unknown, value: unknown) => {
          if (!open) return;
          open = false;
          ack(error, value);
        };
        const answer = (value: unknown) => end(null, value);
        const lose = () => end(new Error("no answer"), undefined);
        this.emitted.push({ event, payload: payload as Record<string, unknown>, answer, lose });
      },
    };
  }

  connect(): void {
    this.connects += 1;
  }

  disconnect(): void {
    this.connected = false;
  }

  hear(event: string, ...args: unknown[]): void {
    if (event === "connect") this.connected = true;
    if (event === "disconnect") this.connected = false;
    this.listeners.get(event)?.(...(args as never[]));
  }

  sent(event: string): Emitted[] {
    return this.emitted.filter((emitted) => emitted.event === event);
  }
}
