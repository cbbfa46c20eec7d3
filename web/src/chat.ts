// Somebody's chat from login to logout: joins the helper, the loader and the state, and is what the views act on.
import { ChatClient, ChatError, TypingSignal } from "../chat-client/src/index";
import { Api } from "./api";
import { Loader } from "./loader";
import { later, openSocket } from "./platform";
import { ReadMarks } from "./read-marks";
import type { Session } from "./session";
import type { Action } from "./state/actions";
import { type Focused, type Pending, type State, conversationWith, initialState, otherSide } from "./state/model";
import { reduce } from "./state/reduce";
import { Store } from "./store";
import type { Message } from "./types";
import { explain } from "./words";

/** Why a chat ended: by one's own wish, or because the server no longer takes the token. */
export type Ending = { by: "user" } | { by: "server"; message: string };

/** One login's chat. */
export class Chat {
  readonly store: Store<State, Action>;
  /** Set by the views: is told of each message that comes in. */
  incoming: (message: Message) => void = () => {};
  private readonly loader: Loader;
  private readonly client: ChatClient;
  private readonly signal: TypingSignal;
  private readonly marks: ReadMarks;
  private searchDelay: ReturnType<typeof setTimeout> | undefined;
  private over = false;

  constructor(
    session: Session,
    private readonly ended: (ending: Ending) => void,
  ) {
    this.store = new Store(initialState({ id: session.userId, username: session.username }), reduce);
    this.client = new ChatClient(openSocket(session.token), { userId: session.userId });
    const rejected = (message: string) => this.end({ by: "server", message });
    this.loader = new Loader(new Api(session.token), this.store, this.client, rejected);
    const tell = (receiverId: string, isTyping: boolean) => this.client.typing(receiverId, isTyping);
    this.signal = new TypingSignal({ tell, later, now: () => performance.now() });
    this.marks = new ReadMarks(this.store, (messageId) => this.client.markRead(messageId));
    this.listen(rejected);
  }

  /** Begins. */
  start(): void {
    // What was queued before a reload shows at once, with a line or without.
    for (const userId of this.client.queuedFor()) this.changed(userId);
    this.client.connect();
    void this.loader.directory(false);
  }

  /** Ends by the user's wish. */
  logOut(): void {
    this.end({ by: "user" });
  }

  /** Ends; nothing is heard or said any more. */
  end(ending: Ending): void {
    if (this.over) return;
    this.over = true;
    this.signal.stop();
    // Who logs out leaves nothing behind; a token that ended leaves the queue for the next login.
    this.client.close(ending.by === "user" ? "nothing" : "queue");
    this.ended(ending);
  }

  /** Tries to connect at once, if there is no line. */
  reconnectNow(): void {
    this.client.reconnectNow();
  }

  /** Opens a conversation, or closes the open one. */
  open(user: { id: string; username: string } | null): void {
    this.signal.stop();
    this.marks.seesNewest(true);
    this.dispatch({ type: "open", user });
    if (user !== null) this.changed(user.id);
    if (user !== null) void this.loader.newest(user.id);
  }

  /** Filters conversations and people by the beginning of a name. */
  search(query: string): void {
    this.dispatch({ type: "query", query });
    clearTimeout(this.searchDelay);
    this.searchDelay = setTimeout(() => void this.loader.directory(false), 150);
  }

  morePeople(): void {
    void this.loader.directory(true);
  }

  moreConversations(): void {
    void this.loader.moreConversations();
  }

  /** Loads the page before the first message shown. */
  earlier(userId: string): void {
    void this.loader.earlier(userId);
  }

  /** Loads the newest page, if it is not there. */
  newest(userId: string): void {
    void this.loader.newest(userId);
  }

  /** The page came into view again: a good moment to look whether the line still stands. */
  wake(): void {
    this.client.reconnectNow();
    this.marks.check();
  }

  /** Sends a text to the person whose conversation is open. */
  send(text: string): void {
    const receiverId = this.store.state.open;
    if (receiverId === null) return;
    this.signal.stop();
    this.tried(() => this.client.send(receiverId, text));
  }

  /** Sends a refused message again. */
  retry(pending: Pending): void {
    this.client.retry(pending);
  }

  /** Forgets a message that is not sent. */
  discard(pending: Pending): void {
    this.client.discard(pending);
  }

  /** Begins to act on one of one's own messages, goes on with that, or leaves it. */
  focus(focused: Focused | null): void {
    this.dispatch({ type: "focus", focused });
  }

  /** Gives the message that is edited its new text. */
  saveEdit(text: string): void {
    const { focused } = this.store.state;
    if (focused === null) return;
    this.focus(null);
    if (text !== focused.message.message) void this.asked("edit", this.client.edit(focused.message.id, text));
  }

  /** Deletes a message on both sides. */
  remove(message: Message): void {
    this.focus(null);
    void this.asked("delete", this.client.delete(message.id));
  }

  block(userId: string): void {
    void this.asked("block", this.client.block(userId));
  }

  unblock(userId: string): void {
    void this.asked("unblock", this.client.unblock(userId));
  }

  /** A key was struck in the composer; `empty` if nothing is left in it. */
  typed(empty: boolean): void {
    const { open } = this.store.state;
    if (empty || open === null) this.signal.stop();
    else this.signal.stroke(open);
  }

  /** Whether the newest message is in view: only then are messages read. */
  seesNewest(atNewest: boolean): void {
    this.marks.seesNewest(atNewest);
  }

  dismissNotice(): void {
    this.dispatch({ type: "notice", text: null });
  }

  private readonly dispatch = (action: Action): void => {
    if (!this.over) this.store.dispatch(action);
  };

  private listen(rejected: (message: string) => void): void {
    const { client, dispatch } = this;
    client.on("connection", (connection) => {
      dispatch({ type: "connection", connection });
      if (connection.status === "online") this.catchUp();
    });
    client.on("unauthorized", rejected);
    client.on("conversation", (userId) => this.changed(userId));
    client.on("blocks", (userId) => this.changed(userId));
    client.on("message", (message) => this.received(message));
    client.on("receipt", (kind, message) => {
      if (message !== null && kind === "read") dispatch({ type: "read", message });
      else if (message === null) this.loader.conversationsSoon();
    });
    client.on("elsewhere", () => this.loader.conversationsSoon());
    client.on("reset", () => this.loader.conversationsSoon());
    client.on("typing", ({ senderId, isTyping }) => dispatch({ type: "typing", userId: senderId, isTyping }));
    client.on("online", (users) => dispatch({ type: "online", users }));
    client.on("presence", (user, isOnline) => dispatch({ type: "presence", user, isOnline, at: new Date().toISOString() }));
    client.on("error", (error) => dispatch({ type: "notice", text: error.message }));
  }

  private changed(userId: string): void {
    const log = { ...this.client.conversation(userId), blocked: this.client.isBlocked(userId) };
    this.dispatch({ type: "log", userId, log });
  }

  private async asked(what: Parameters<typeof explain>[0], request: Promise<void>): Promise<void> {
    try {
      await request;
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      this.dispatch({ type: "notice", text: explain(what, error) });
    }
  }

  private tried(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      this.dispatch({ type: "notice", text: error.message });
    }
  }

  /** After a (re)connect: what is not synced by the helper. */
  private catchUp(): void {
    this.marks.reset();
    void this.loader.conversations();
    const { open, directory } = this.store.state;
    if (directory.ids.length === 0) void this.loader.directory(false);
    if (open !== null) void this.loader.newest(open);
  }

  private received(message: Message): void {
    const { state } = this.store;
    const other = otherSide(state, message);
    const isNews = message.seq > (conversationWith(state, other).last?.seq ?? 0);
    this.dispatch({ type: "message", message });
    if (state.users[other] === undefined) this.loader.conversationsSoon();
    if (message.senderId === other && isNews) this.incoming(message);
  }
}
