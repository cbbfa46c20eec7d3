// Fetches pages of history: the newest, earlier ones, and what is missing in between.
import { ChatError } from "./chat-error.js";
import type { Line } from "./line.js";
import type { Logs } from "./logs.js";
import { lastHole } from "./timeline.js";
import type { HistoryPage, Message } from "./wire.js";

/** A hole wider than this is not filled: what lies before it is forgotten, and loaded again when somebody scrolls there. */
const WIDEST_HOLE = 500;
const PAGE = 50;
const FILL_PAGE = 100;

/** What history needs. */
export interface HistoryPort {
  line: Line;
  logs: Logs;
  maxMessages: number;
  /** Messages were fetched; they may be news to this device. */
  fetched(userId: string, messages: readonly Message[]): void;
  changed(userId: string): void;
}

/** Reads over the socket into the lists. */
export class History {
  private readonly port: HistoryPort;
  private readonly filling = new Set<string>();

  constructor(port: HistoryPort) {
    this.port = port;
  }

  /** The newest page. `afresh`: what stood before it is forgotten, changes may have been missed. */
  async newest(userId: string, afresh = false): Promise<void> {
    const page = await this.page(userId, { limit: PAGE });
    const { logs } = this.port;
    logs.put(userId, page, true);
    const first = page[0]?.seq ?? 0;
    if (afresh) logs.trim(userId, logs.get(userId).messages.findIndex(({ seq }) => seq >= first));
    this.port.fetched(userId, page);
    this.port.changed(userId);
    await this.fill(userId);
  }

  /** The page before the first known message. */
  async earlier(userId: string): Promise<void> {
    const before = this.cursor(userId);
    if (before === null) return;
    const page = await this.page(userId, { limit: PAGE, before });
    // The list may have been cut or dropped meanwhile: a page that does not join it is not wanted.
    const first = this.port.logs.get(userId).messages[0];
    if (first?.id === before) this.port.logs.put(userId, page);
    this.port.changed(userId);
  }

  /** Where earlier messages are to be had; null at the beginning, or where no more are kept. */
  cursor(userId: string): string | null {
    const { messages } = this.port.logs.get(userId);
    const first = messages[0];
    if (first === undefined || first.seq === 1) return null;
    return messages.length + PAGE > this.port.maxMessages ? null : first.id;
  }

  /** Fetches what is missing between known messages. */
  async fill(userId: string): Promise<void> {
    const { logs } = this.port;
    if (!logs.get(userId).loaded) return logs.trimToRun(userId);
    if (this.filling.has(userId)) return;
    this.filling.add(userId);
    try {
      while (await this.fillOnce(userId)) this.port.changed(userId);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      // Without a line the hole stays until the next one; a refused place to go on from is forgotten.
      if (this.port.line.isUp) logs.trimToRun(userId);
    } finally {
      this.filling.delete(userId);
    }
  }

  private async fillOnce(userId: string): Promise<boolean> {
    const { logs } = this.port;
    const { messages } = logs.get(userId);
    const at = lastHole(messages);
    const [before, behind] = [messages[at], messages[at + 1]];
    if (before === undefined || behind === undefined) return false;
    const page = behind.seq - before.seq > WIDEST_HOLE ? [] : await this.page(userId, { limit: FILL_PAGE, after: before.id });
    if (page.length === 0) logs.trimToRun(userId);
    else logs.put(userId, page);
    this.port.fetched(userId, page);
    return true;
  }

  private async page(otherUserId: string, place: object): Promise<Message[]> {
    return (await this.port.line.request<HistoryPage>("get_chat_history", { otherUserId, ...place })).messages;
  }
}
