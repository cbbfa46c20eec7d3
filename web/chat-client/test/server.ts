// Messages as the server tells them, and a helper with a scripted line.
import { ChatClient, type ClientStorage, type Message, memoryStorage } from "../src/index.js";
import { Clock } from "./clock.js";
import { type Emitted, FakeSocket } from "./fake-socket.js";

export const ME = "me";
export const ANN = "ann";

/** A message of the conversation with Ann; `from` is ME or ANN. */
export function message(seq: number, from: string = ANN, more: Partial<Message> = {}): Message {
  const receiverId = from === ME ? ANN : ME;
  const timestamp = new Date(Date.UTC(2026, 0, 1) + seq * 1_000).toISOString();
  return { id: `m${seq}`, senderId: from, receiverId, message: `text ${seq}`, timestamp, isRead: false, seq, ...more };
}

/** The messages `from` to `to`, both included. */
export function run(from: number, to: number, sender: string = ANN): Message[] {
  return Array.from({ length: to - from + 1 }, (_, i) => message(from + i, sender));
}

/** Lets promises settle. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

/** One run of an application: a socket, a clock, a helper on a storage that outlives it. */
export class Bench {
  readonly socket = new FakeSocket();
  readonly clock = new Clock();
  readonly heard: [string, ...unknown[]][] = [];
  readonly client: ChatClient;
  private names = 0;

  constructor(readonly storage: ClientStorage = memoryStorage(), limits: { maxMessages?: number; maxConversations?: number; maxQueued?: number } = {}) {
    const newId = () => `c${(this.names += 1)}`;
    this.client = new ChatClient(this.socket, { userId: ME, storage, later: this.clock.later, now: this.clock.now, newId, ...limits });
    const names = ["connection", "unauthorized", "message", "receipt", "elsewhere", "failed", "typing", "presence", "online", "synced", "reset", "blocks", "error"] as const;
    for (const name of names) this.client.on(name, (...args: unknown[]) => void this.heard.push([name, ...args]));
  }

  /** The line comes up; the first walk answers with these messages. */
  up(events: Message[] = [], cursor = "now"): void {
    this.socket.hear("connect");
    this.last("sync").answer(synced(events, cursor));
  }

  down(): void {
    this.socket.hear("disconnect", "transport close");
    // The stock client gives up what is unanswered when the line goes down.
    for (const emitted of this.socket.emitted) emitted.lose();
  }

  /** Loads the conversation with Ann; the server's newest page is this one. */
  async load(messages: Message[]): Promise<void> {
    const loading = this.client.load(ANN);
    this.last("get_chat_history").answer({ ok: true, otherUserId: ANN, messages, next: null });
    await loading;
    await settle();
  }

  last(event: string): Emitted {
    const emitted = this.socket.sent(event).at(-1);
    if (emitted === undefined) throw new Error(`nothing was said: ${event}`);
    return emitted;
  }

  get messages(): readonly Message[] {
    return this.client.conversation(ANN).messages;
  }

  get seqs(): number[] {
    return this.messages.map(({ seq }) => seq);
  }

  /** The payloads of one event, in order. */
  said(event: string, field: string): unknown[] {
    return this.socket.sent(event).map(({ payload }) => payload[field]);
  }

  of(name: string): [string, ...unknown[]][] {
    return this.heard.filter(([event]) => event === name);
  }
}

/** An answer to `sync`. */
export function synced(messages: Message[], cursor: string, complete = true): unknown {
  return { ok: true, events: messages.map((m) => ({ type: "message", message: m })), cursor, complete };
}

/** An answer to `private_message`. */
export function stored(seq: number, clientId: string): unknown {
  return { ok: true, message: message(seq, ME, { clientId }) };
}

/** A refusal. */
export function refusal(code: string, retryAfterMs?: number): unknown {
  return { ok: false, error: { code, message: code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } };
}
