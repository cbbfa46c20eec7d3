// Holds the state and tells its watchers of changes, many changes at a time.

/** A state that changes only through its reducer. */
export class Store<S, A> {
  private readonly watchers = new Set<(state: S) => void>();
  private announced = false;

  constructor(
    private current: S,
    private readonly reduce: (state: S, action: A) => S,
  ) {}

  /** The state now. */
  get state(): S {
    return this.current;
  }

  /** Changes the state; watchers hear of it in the next frame. */
  dispatch(action: A): void {
    const next = this.reduce(this.current, action);
    if (next === this.current) return;
    this.current = next;
    if (this.announced) return;
    this.announced = true;
    // A hidden page gets no frames, but its title should still count what comes in.
    if (document.visibilityState === "visible") requestAnimationFrame(() => this.announce());
    else setTimeout(() => this.announce(), 0);
  }

  /** Calls back after changes until the returned function is called. */
  watch(watcher: (state: S) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  private announce(): void {
    this.announced = false;
    for (const watcher of this.watchers) watcher(this.current);
  }
}
