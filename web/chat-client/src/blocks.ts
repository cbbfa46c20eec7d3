// Whom this device has blocked. The server has no list to ask for, so it is kept here.
import type { ClientStorage } from "./storage.js";

/** More than this many are not remembered; they stay blocked all the same. */
const MAX = 1_000;

/** A set of ids that outlives a reload. */
export class Blocks {
  private readonly storage: ClientStorage;
  private readonly key: string;
  private readonly ids: Set<string>;

  constructor(storage: ClientStorage, key: string) {
    this.storage = storage;
    this.key = key;
    this.ids = new Set((storage.get(key) ?? "").split(",").filter((id) => id !== ""));
  }

  has(userId: string): boolean {
    return this.ids.has(userId);
  }

  set(userId: string, blocked: boolean): void {
    if (!blocked) this.ids.delete(userId);
    else if (this.ids.size < MAX) this.ids.add(userId);
    if (this.ids.size === 0) this.storage.remove(this.key);
    else this.storage.set(this.key, [...this.ids].join(","));
  }
}
