// Tells the server what reached this device. One receipt covers everything before it, so of each
// conversation only the newest message is owed one; it stays owed until the server knows.
import type { Line } from "./line.js";
import { type Later, backoff } from "./ports.js";
import { type Message, isPassing } from "./wire.js";

/** Receipts of delivery. */
export class Receipts {
  private readonly line: Line;
  private readonly later: Later;
  /** By conversation; no more than there are people who write. */
  private readonly owed = new Map<string, Message>();
  private readonly underWay = new Set<string>();
  private held = true;

  constructor(line: Line, later: Later) {
    this.line = line;
    this.later = later;
  }

  /** A received message is on this device. */
  owe(message: Message): void {
    if (message.isRead || message.deliveredAt !== undefined || message.deletedAt !== undefined) return;
    if ((this.owed.get(message.senderId)?.seq ?? 0) >= message.seq) return;
    this.owed.set(message.senderId, message);
    this.send(message.senderId, 0);
  }

  /** Reading told it already. */
  read(message: Message): void {
    if ((this.owed.get(message.senderId)?.seq ?? Infinity) <= message.seq) this.owed.delete(message.senderId);
  }

  /** While much comes in: only its end is worth a receipt. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    for (const senderId of [...this.owed.keys()]) this.send(senderId, 0);
  }

  private send(senderId: string, tried: number): void {
    const message = this.owed.get(senderId);
    if (message === undefined || this.held || this.underWay.has(senderId) || !this.line.isUp) return;
    this.underWay.add(senderId);
    this.line.ask("message_delivered", { messageId: message.id }, (answer) => {
      const again = answer === null || (!answer.ok && isPassing(answer.error));
      if (!again && this.owed.get(senderId) === message) this.owed.delete(senderId);
      const wait = answer?.ok === false ? answer.error.retryAfterMs : undefined;
      const next = (attempt: number) => {
        this.underWay.delete(senderId);
        this.send(senderId, attempt);
      };
      if (again && this.line.isUp) this.later(wait ?? backoff(tried), () => next(tried + 1));
      else next(0);
    });
  }
}
