// The Socket.IO half of the server's interface: one socket, what it hears, and what is said over it.
import { isWireError } from "./api";
import { type Letter, Outbox } from "./outbox";
import type { Connection } from "./state/model";
import type { Ack, Message, Presence, Typing, WireError } from "./types";

/** What happens on the socket. */
export interface ChatEvents<L extends Letter> {
  connection(connection: Connection): void;
  /** The token is not, or no longer, good. */
  unauthorized(message: string): void;
  message(message: Message): void;
  read(messageId: string): void;
  typing(typing: Typing): void;
  online(users: Presence[]): void;
  presence(user: Presence, isOnline: boolean): void;
  delivered(message: Message, letter: L): void;
  refused(letter: L, error: WireError): void;
  failed(error: WireError): void;
}

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

/** The server answers every send within 5 s of its arrival; this adds the way there and back. */
const ANSWER_MS = 8_000;
/** After a refusal other than of the token: how long until the next try. */
const REFUSED_RETRY_MS = 15_000;

/** One login's connection to the server. */
export class ChatClient<L extends Letter> {
  private readonly outbox: Outbox<L>;
  private cancelRetry: (() => void) | null = null;
  private closed = false;

  constructor(
    private readonly socket: SocketLike,
    private readonly events: ChatEvents<L>,
    private readonly later: Later,
  ) {
    this.outbox = new Outbox<L>({
      transmit: (letter, done) => {
        const { receiverId, clientId, text } = letter;
        this.ask<{ message: Message }>("private_message", { receiverId, message: text, clientId }, done);
      },
      delivered: (message, letter) => events.delivered(message, letter),
      refused: (letter, error) => events.refused(letter, error),
      later,
    });
    this.listen();
  }

  /** Begins; from then on the connection keeps itself up. */
  connect(): void {
    this.socket.connect();
  }

  /** Ends it for good. */
  close(): void {
    this.closed = true;
    this.cancelRetry?.();
    this.outbox.pause();
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

  /** Sends a message, now or as soon as there is a line. */
  send(letter: L): void {
    this.outbox.add(letter);
  }

  /** Marks everything up to a received message as read; answers whether the server knows. */
  markRead(messageId: string, done: (ok: boolean) => void): void {
    if (!this.socket.connected) return done(false);
    this.ask("message_read", { messageId }, (answer) => done(answer?.ok === true));
  }

  /** Tells somebody that one types, or no longer. It is lost without a line. */
  typing(receiverId: string, isTyping: boolean): void {
    if (this.socket.connected) this.ask("typing", { receiverId, isTyping }, () => {});
  }

  private ask<T>(event: string, payload: unknown, done: (answer: Ack<T> | null) => void): void {
    this.socket.timeout(ANSWER_MS).emit(event, payload, (error, answer) => {
      const failure = error === null ? (answer as { error?: unknown } | null)?.error : undefined;
      if (isWireError(failure) && failure.code === "unauthorized") this.rejected(failure.message);
      done(error === null ? (answer as Ack<T>) : null);
    });
  }

  private listen(): void {
    const { socket, events } = this;
    socket.on("connect", () => {
      events.connection({ status: "online" });
      this.outbox.resume();
    });
    socket.on("disconnect", () => this.lost(null));
    socket.on("connect_error", (error: Error & { data?: unknown }) => {
      if (isWireError(error.data) && error.data.code === "unauthorized") this.rejected(error.data.message);
      else this.lost(isWireError(error.data) ? error.data.message : null);
    });
    socket.on("error", (error: unknown) => {
      if (!isWireError(error)) return;
      if (error.code === "unauthorized") this.rejected(error.message);
      else events.failed(error);
    });
    socket.on("private_message", (message: Message) => events.message(message));
    socket.on("message_read", ({ messageId }: { messageId: string }) => events.read(messageId));
    socket.on("typing", (typing: Typing) => events.typing(typing));
    socket.on("online_users", (users: Presence[]) => events.online(users));
    socket.on("user_online", (user: Presence) => events.presence(user, true));
    socket.on("user_offline", (user: Presence) => events.presence(user, false));
  }

  private lost(reason: string | null): void {
    this.outbox.pause();
    if (this.closed) return;
    this.events.connection(reason === null ? { status: "lost" } : { status: "refused", reason });
    // The official client does not come back after the server has sent it away; this page does, slowly.
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
