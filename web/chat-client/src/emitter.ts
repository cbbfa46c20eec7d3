// A typed event emitter, the smallest one that does.

type Listeners<E extends Record<string, unknown[]>> = { [K in keyof E]?: Set<(...args: E[K]) => void> };

/** Tells listeners what happens, in the order in which they came. */
export class Emitter<E extends Record<string, unknown[]>> {
  private readonly listeners: Listeners<E> = {};

  /** Calls back at each such event until the returned function is called. */
  on<K extends keyof E>(event: K, listener: (...args: E[K]) => void): () => void {
    const set: Set<(...args: E[K]) => void> = this.listeners[event] ?? new Set();
    this.listeners[event] = set;
    set.add(listener);
    return () => void set.delete(listener);
  }

  protected emit<K extends keyof E>(event: K, ...args: E[K]): void {
    for (const listener of [...(this.listeners[event] ?? [])]) listener(...args);
  }
}
