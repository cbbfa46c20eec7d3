// When to tell the other side that one is typing, and when a sign of theirs has run out.

/** Sends and timers, as the signal needs them. */
export interface TypingPort {
  tell(receiverId: string, isTyping: boolean): void;
  later(delayMs: number, callback: () => void): () => void;
  now(): number;
}

/** The server ends a typing sign after 6 s of silence, so a long one is renewed in time. */
const RENEW_MS = 3_000;
/** After this pause one is not typing any more. */
const PAUSE_MS = 4_000;

/** Turns key strokes into few `typing` events. */
export class TypingSignal {
  private readonly port: TypingPort;
  private current: { receiverId: string; toldAt: number; cancel: () => void } | null = null;

  constructor(port: TypingPort) {
    this.port = port;
  }

  /** Something was typed to somebody. */
  stroke(receiverId: string): void {
    if (this.current !== null && this.current.receiverId !== receiverId) this.stop();
    const now = this.port.now();
    const due = this.current === null || now - this.current.toldAt >= RENEW_MS;
    if (due) this.port.tell(receiverId, true);
    this.current?.cancel();
    const toldAt = due ? now : (this.current?.toldAt ?? now);
    this.current = { receiverId, toldAt, cancel: this.port.later(PAUSE_MS, () => this.stop()) };
  }

  /** The text was sent or cleared, or the conversation left. */
  stop(): void {
    if (this.current === null) return;
    this.current.cancel();
    this.port.tell(this.current.receiverId, false);
    this.current = null;
  }
}

/** How long a sign of the other side is believed if its end gets lost. */
const BELIEVE_MS = 7_000;

/** Ends typing signs whose end never came. */
export class TypingWatch {
  private readonly later: TypingPort["later"];
  private readonly ended: (userId: string) => void;
  private readonly ends = new Map<string, () => void>();

  constructor(later: TypingPort["later"], ended: (userId: string) => void) {
    this.later = later;
    this.ended = ended;
  }

  /** A sign arrived. */
  seen(userId: string, isTyping: boolean): void {
    this.ends.get(userId)?.();
    this.ends.delete(userId);
    if (!isTyping) return;
    const end = () => {
      this.ends.delete(userId);
      this.ended(userId);
    };
    this.ends.set(userId, this.later(BELIEVE_MS, end));
  }
}
