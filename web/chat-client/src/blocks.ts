// Whom one has blocked: as this device last knew it, and, with a line, as the server says.
import type { Line } from "./line.js";
import type { ClientStorage } from "./storage.js";
import type { BlockedPage } from "./wire.js";

/** More than this many are not remembered; they stay blocked all the same. */
const MAX = 1_000;
const PAGE = 100;

/** A set of ids that outlives a reload. */
export class Blocks {
  private readonly line: Line;
  private readonly storage: ClientStorage;
  private readonly key: string;
  private readonly changed: (userId: string) => void;
  private readonly ids: Set<string>;
  /** Counts readings: what one brings after a newer one began, or after a change, means nothing. */
  private turn = 0;
  private reading = false;

  constructor(line: Line, storage: ClientStorage, key: string, changed: (userId: string) => void) {
    this.line = line;
    this.storage = storage;
    this.key = key;
    this.changed = changed;
    this.ids = new Set((storage.get(key) ?? "").split(",").filter((id) => id !== ""));
  }

  has(userId: string): boolean {
    return this.ids.has(userId);
  }

  /** Blocks somebody, or no longer. */
  async ask(userId: string, blocked: boolean): Promise<void> {
    await this.line.request(blocked ? "block_user" : "unblock_user", { userId });
    this.put(userId, blocked);
    this.store();
    // A list that is being read may have been read before.
    if (this.reading) void this.read();
  }

  /** Reads the server's list. What fails is read after the next connect; until then this device's own memory stands. */
  async read(): Promise<void> {
    const turn = ++this.turn;
    this.reading = true;
    const ids = await this.pages(turn).catch(() => null);
    if (turn !== this.turn) return;
    this.reading = false;
    if (ids === null) return;
    for (const id of [...this.ids]) if (!ids.has(id)) this.put(id, false);
    for (const id of ids) this.put(id, true);
    this.store();
  }

  private async pages(turn: number): Promise<Set<string>> {
    const ids = new Set<string>();
    let after: string | null = null;
    do {
      const page: BlockedPage = await this.line.request<BlockedPage>("get_blocked", { limit: PAGE, ...(after !== null && { after }) });
      for (const { userId } of page.blocked) if (ids.size < MAX) ids.add(userId);
      after = page.next;
    } while (after !== null && ids.size < MAX && turn === this.turn);
    return ids;
  }

  private put(userId: string, blocked: boolean): void {
    if (this.ids.has(userId) === blocked) return;
    if (!blocked) this.ids.delete(userId);
    else if (this.ids.size < MAX) this.ids.add(userId);
    this.changed(userId);
  }

  private store(): void {
    if (this.ids.size === 0) this.storage.remove(this.key);
    else this.storage.set(this.key, [...this.ids].join(","));
  }
}
