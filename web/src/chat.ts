// Somebody's chat from login to logout: joins the socket, the loader and the state, and is what the views act on.
import { Api } from "./api";
import { ChatClient } from "./chat-client";
import { Loader } from "./loader";
import { later, openSocket, randomId } from "./platform";
import { ReadMarks } from "./read-marks";
import type { Session } from "./session";
import type { Action } from "./state/actions";
import { type Pending, type State, initialState } from "./state/model";
import { reduce } from "./state/reduce";
import { findMessage } from "./state/reduce-messages";
import { Store } from "./store";
import type { Message } from "./types";
import { TypingSignal, TypingWatch } from "./typing";

/** Why a chat ended: by one's own wish, or because the server no longer takes the token. */
export type Ending = { by: "user" } | { by: "server"; message: string };

/** One login's chat. */
export class Chat {
  readonly store: Store<State, Action>;
  /** Set by the views: is told of each message that comes in. */
  incoming: (message: Message) => void = () => {};
  private readonly loader: Loader;
  private readonly client: ChatClient<Pending>;
  private readonly signal: TypingSignal;
  private readonly marks: ReadMarks;
  private searchDelay: ReturnType<typeof setTimeout> | undefined;
  private over = false;

  constructor(
    session: Session,
    private readonly ended: (ending: Ending) => void,
  ) {
    this.store = new Store(initialState({ id: session.userId, username: session.username }), reduce);
    const rejected = (message: string) => this.end({ by: "server", message });
    this.loader = new Loader(new Api(session.token), this.store, rejected);

    const { dispatch } = this;
    const watch = new TypingWatch(later, (userId) => dispatch({ type: "typing", userId, isTyping: false }));
    this.client = new ChatClient<Pending>(
      openSocket(session.token),
      {
        connection: (connection) => {
          dispatch({ type: "connection", connection });
          if (connection.status === "online") this.catchUp();
          else if (connection.status === "lost") this.loader.lineLost();
        },
        unauthorized: rejected,
        message: (message) => this.received(message),
        read: (messageId) => this.readElsewhere(messageId),
        typing: ({ senderId, isTyping }) => {
          watch.seen(senderId, isTyping);
          dispatch({ type: "typing", userId: senderId, isTyping });
        },
        online: (users) => dispatch({ type: "online", users }),
        presence: (user, isOnline) => dispatch({ type: "presence", user, isOnline, at: new Date().toISOString() }),
        delivered: (message) => dispatch({ type: "message", message }),
        refused: (pending, error) => dispatch({ type: "pending-failed", pending, reason: error.message }),
        failed: (error) => dispatch({ type: "notice", text: error.message }),
      },
      later,
    );
    const tell = (receiverId: string, isTyping: boolean) => this.client.typing(receiverId, isTyping);
    this.signal = new TypingSignal({ tell, later, now: () => performance.now() });
    this.marks = new ReadMarks(this.store, (messageId, done) => this.client.markRead(messageId, done));
  }

  /** Begins. */
  start(): void {
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
    this.client.close();
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
    this.post({ clientId: randomId(), receiverId, text, createdAt: Date.now(), failure: null });
  }

  /** Sends a refused message again; with the same name, should it have been stored after all. */
  retry(pending: Pending): void {
    this.dispatch({ type: "pending-gone", pending });
    this.post({ ...pending, failure: null });
  }

  /** Forgets a refused message. */
  discard(pending: Pending): void {
    this.dispatch({ type: "pending-gone", pending });
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

  private post(pending: Pending): void {
    this.dispatch({ type: "pending", pending });
    this.client.send(pending);
  }

  /** After a (re)connect: what changed meanwhile. */
  private catchUp(): void {
    this.marks.reset();
    void this.loader.conversations();
    const { open } = this.store.state;
    if (open !== null) void this.loader.newest(open);
  }

  private received(message: Message): void {
    this.dispatch({ type: "message", message });
    if (message.senderId === this.store.state.me.id) return;
    if (this.store.state.users[message.senderId] === undefined) this.loader.conversationsSoon();
    this.incoming(message);
  }

  private readElsewhere(messageId: string): void {
    if (findMessage(this.store.state, messageId) === null) this.loader.conversationsSoon();
    else this.dispatch({ type: "read", messageId });
  }
}
