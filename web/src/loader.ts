// Fetches what the socket does not push: the conversation list, history, the directory.
import { type Api, ApiError } from "./api";
import type { Action } from "./state/actions";
import { type State, conversationWith } from "./state/model";
import type { Store } from "./store";

/** Reads over REST into the state. */
export class Loader {
  private directoryTurn = 0;
  /** Counts the lines to the server there have been. */
  private line = 0;
  private conversationsAgain: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly api: Api,
    private readonly store: Store<State, Action>,
    private readonly unauthorized: (message: string) => void,
  ) {}

  /** The first page of the conversation list. */
  async conversations(): Promise<void> {
    await this.attempt(async () => {
      const page = await this.api.conversations(null);
      this.store.dispatch({ type: "conversations", rows: page.conversations, next: page.next, append: false });
    });
  }

  /** The first page again, once for many reasons that come close together. */
  conversationsSoon(): void {
    this.conversationsAgain ??= setTimeout(() => {
      this.conversationsAgain = null;
      void this.conversations();
    }, 300);
  }

  /** The following page of the conversation list. */
  async moreConversations(): Promise<void> {
    const after = this.store.state.moreConversations;
    if (after === null) return;
    await this.attempt(async () => {
      const page = await this.api.conversations(after);
      this.store.dispatch({ type: "conversations", rows: page.conversations, next: page.next, append: true });
    });
  }

  /** People whose names begin with the query; an answer that a newer query has overtaken is dropped. */
  async directory(append: boolean): Promise<void> {
    const turn = ++this.directoryTurn;
    const { query, directory } = this.store.state;
    await this.attempt(async () => {
      const page = await this.api.users(query.trim(), append ? directory.next : null);
      if (turn === this.directoryTurn) this.store.dispatch({ type: "directory", users: page.users, next: page.next, append });
    });
  }

  /** The newest messages of a conversation, unless they are there already. */
  async newest(userId: string): Promise<void> {
    if (conversationWith(this.store.state, userId).history !== "stale") return;
    await this.page(userId, "newest", null);
  }

  /** The messages before the first one shown. */
  async earlier(userId: string): Promise<void> {
    const known = conversationWith(this.store.state, userId);
    if (known.loadingEarlier || known.earlier === null) return;
    await this.page(userId, "earlier", known.earlier);
  }

  /** What is on its way now may lack what happens before the line is back: it does not count as fresh. */
  lineLost(): void {
    this.line += 1;
  }

  private async page(userId: string, place: "newest" | "earlier", before: string | null): Promise<void> {
    const line = this.isOnline() ? this.line : null;
    this.store.dispatch({ type: "loading", userId, place });
    try {
      const { messages, next } = await this.api.history(userId, before);
      if (place === "earlier") return this.store.dispatch({ type: "earlier", userId, messages, next });
      const isFresh = line === this.line;
      this.store.dispatch({ type: "newest", userId, messages, next, isFresh });
      if (!isFresh && this.isOnline() && this.store.state.open === userId) await this.newest(userId);
    } catch (error) {
      this.store.dispatch({ type: "load-failed", userId, place, reason: this.explain(error) });
    }
  }

  private isOnline(): boolean {
    return this.store.state.connection.status === "online";
  }

  private async attempt(load: () => Promise<void>): Promise<void> {
    try {
      await load();
    } catch (error) {
      this.store.dispatch({ type: "notice", text: this.explain(error) });
    }
  }

  private explain(error: unknown): string {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "unauthorized") this.unauthorized(error.message);
    return error.message;
  }
}
