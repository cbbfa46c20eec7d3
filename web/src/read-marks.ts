// Tells the server what is being read, while it is being read.
import type { Action } from "./state/actions";
import { type State, conversationWith } from "./state/model";
import type { Store } from "./store";

/** Marks the open conversation as read as long as its end is in view. */
export class ReadMarks {
  /** By conversation, the message up to which a mark is under way or done. */
  private readonly asked = new Map<string, string>();
  private atNewest = true;

  constructor(
    private readonly store: Store<State, Action>,
    private readonly mark: (messageId: string) => Promise<void>,
  ) {
    store.watch(() => this.check());
  }

  /** Whether the end of the open conversation is in view: only then are messages read. */
  seesNewest(atNewest: boolean): void {
    this.atNewest = atNewest;
    this.check();
  }

  /** Forgets what is under way: the line was down. */
  reset(): void {
    this.asked.clear();
  }

  /** Sends a mark if there is something new to mark. One mark covers everything before it. */
  check(): void {
    const { open, connection } = this.store.state;
    const watching = this.atNewest && document.visibilityState === "visible";
    if (open === null || connection.status !== "online" || !watching) return;
    const { loaded, messages } = conversationWith(this.store.state, open);
    const newest = messages.findLast((m) => m.senderId === open);
    if (!loaded || newest === undefined || newest.isRead || this.asked.get(open) === newest.id) return;
    this.asked.set(open, newest.id);
    this.mark(newest.id).catch(() => this.asked.get(open) === newest.id && this.asked.delete(open));
  }
}
