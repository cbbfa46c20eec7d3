// Fetches what is not pushed: the conversation list, history, the directory.
import { type ChatClient, ChatError } from "../chat-client/src/index";
import { type Api, ApiError } from "./api";
import type { Action } from "./state/actions";
import { type State, conversationWith } from "./state/model";
import type { Store } from "./store";
import type { ConversationPage } from "./types";

/** Reads lists over REST, and histories through the helper, into the state. */
export class Loader {
  private directoryTurn = 0;
  private conversationsAgain: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly api: Api,
    private readonly store: Store<State, Action>,
    private readonly client: ChatClient,
    private readonly unauthorized: (message: string) => void,
  ) {}

  /** The first page of the conversation list. */
  async conversations(): Promise<void> {
    await this.attempt(async () => {
      const page = await this.api.conversations(null);
      this.take(page, false);
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
      this.take(page, true);
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
    await this.page(userId, "newest", () => this.client.load(userId));
  }

  /** The messages before the first one shown. */
  async earlier(userId: string): Promise<void> {
    const known = conversationWith(this.store.state, userId);
    if (known.loadingEarlier || !known.loaded || !known.hasEarlier) return;
    await this.page(userId, "earlier", () => this.client.loadEarlier(userId));
  }

  private async page(userId: string, place: "newest" | "earlier", load: () => Promise<void>): Promise<void> {
    this.store.dispatch({ type: "loading", userId, place });
    try {
      await load();
      this.store.dispatch({ type: "loaded", userId, place });
    } catch (error) {
      // Without a line the banner says enough, and the next line brings what is missing.
      const isOffline = error instanceof ChatError && error.code === "offline";
      this.store.dispatch({ type: "load-failed", userId, place, reason: isOffline ? null : this.explain(error) });
    }
  }

  /** The list first: its counts are the server's, and its messages no news. */
  private take(page: ConversationPage, append: boolean): void {
    this.store.dispatch({ type: "conversations", rows: page.conversations, next: page.next, append });
    this.client.take(page.conversations.map(({ lastMessage }) => lastMessage));
  }

  private async attempt(load: () => Promise<void>): Promise<void> {
    try {
      await load();
    } catch (error) {
      const text = this.explain(error);
      // Without a line the banner says enough.
      const isKnown = error instanceof ApiError && error.code === "network" && this.store.state.connection.status !== "online";
      if (!isKnown) this.store.dispatch({ type: "notice", text });
    }
  }

  private explain(error: unknown): string {
    if (!(error instanceof ApiError) && !(error instanceof ChatError)) throw error;
    if (error.code === "unauthorized") this.unauthorized(error.message);
    return error.message;
  }
}
