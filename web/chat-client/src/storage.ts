// Where the queue and the cursor outlive a reload.

/** Synchronous storage of strings. What is asynchronous (a phone's) is read into memory before the helper is made. */
export interface ClientStorage {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

/** As long as the page. */
export function memoryStorage(): ClientStorage {
  const entries = new Map<string, string>();
  return {
    get: (key) => entries.get(key) ?? null,
    set: (key, value) => void entries.set(key, value),
    remove: (key) => void entries.delete(key),
    keys: () => [...entries.keys()],
  };
}

/** The browser's `localStorage`; where that is refused or full, what does not fit lasts as long as the page. */
export function browserStorage(): ClientStorage {
  return {
    get: (key) => attempt(() => localStorage.getItem(key)) ?? null,
    set: (key, value) => attempt(() => localStorage.setItem(key, value)),
    remove: (key) => attempt(() => localStorage.removeItem(key)),
    keys: () => attempt(() => Object.keys(localStorage)) ?? [],
  };
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    // Private windows refuse storage, and full storage throws: the helper works on without it.
    return undefined;
  }
}
