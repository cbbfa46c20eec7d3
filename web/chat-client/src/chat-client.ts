// The helper itself: what one login knows, hears and says.
import { Blocks } from "./blocks.js";
import { ChatError } from "./chat-error.js";
import { Emitter } from "./emitter.js";
import type { ChatEvents, Connection } from "./events.js";
import { History } from "./history.js";
import { Line } from "./line.js";
import { type Log, Logs } from "./logs.js";
import { type Entry, Outbox } from "./outbox.js";
import { type Later, type SocketLike, later, randomId } from "./ports.js";
import { Receipts } from "./receipts.js";
import { type ClientStorage, browserStorage } from "./storage.js";
import { Sync } from "./sync.js";
import { TypingWatch } from "./typing.js";
import type { Message, Presence, Typing } from "./wire.js";

/** What a helper is made of; all but the user has a default. */
export interface ChatOptions {
  /** One's own id: whose messages are one's own, and whose queue is whose in the storage. */
  userId: string;
  storage?: ClientStorage;
  later?: Later;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Names a new message: 1 to 64 visible ASCII characters, never the same twice. */
  newId?: () => string;
  /** Messages kept of one conversation (2,000), conversations kept (200), messages queued (1,000). */
  maxMessages?: number;
  maxConversations?: number;
  maxQueued?: number;
}

/** What is known of a conversation. */
export interface Conversation extends Log {
  /** Whether earlier messages can be loaded. */
  hasEarlier: boolean;
  /** One's own messages that the server has not stored, in the order in which they were written. */
  pending: readonly Entry[];
}

/** After so many live messages the cursor is moved on, so that a reconnect after days need not tell them all again. */
const SYNC_AFTER = 200;

/** One login's chat. */
export class ChatClient extends Emitter<ChatEvents> {
  private readonly me: string;
  private readonly storage: ClientStorage;
  private readonly prefix: string;
  private readonly now: () => number;
  private readonly newId: () => string;
  private readonly maxQueued: number;
  private readonly line: Line;
  private readonly logs: Logs;
  private readonly history: History;
  private readonly outbox: Outbox;
  private readonly receipts: Receipts;
  private readonly sync: Sync;
  private readonly blocks: Blocks;
  private readonly watch: TypingWatch;
  private readonly present = new Map<string, Presence>();
  private live = 0;

  constructor(socket: SocketLike, options: ChatOptions) {
    super();
    const { maxMessages = 2_000, maxConversations = 200, storage = browserStorage() } = options;
    const time = options.later ?? later;
    this.me = options.userId;
    this.storage = storage;
    this.prefix = `chat.${this.me}.`;
    this.now = options.now ?? Date.now;
    this.newId = options.newId ?? randomId;
    this.maxQueued = options.maxQueued ?? 1_000;
    const { prefix } = this;
    const changed = (userId: string) => this.emit("conversation", userId);
    const line = new Line(socket, time, {
      connection: (connection) => this.connection(connection),
      unauthorized: (message) => {
        this.close("queue");
        this.emit("unauthorized", message);
      },
      error: (error) => this.emit("error", error),
    });
    this.line = line;
    this.logs = new Logs(this.me, { maxMessages, maxConversations }, () => new Date(this.now()).toISOString());
    const fetched = (_: string, messages: readonly Message[]) => this.owe(messages);
    this.history = new History({ line, logs: this.logs, maxMessages, fetched, changed });
    this.outbox = new Outbox({
      transmit: ({ receiverId, clientId, text }, done) => line.ask("private_message", { receiverId, message: text, clientId }, done),
      delivered: (message) => this.take([message]),
      refused: (entry) => {
        changed(entry.receiverId);
        this.emit("failed", entry);
      },
      later: time,
      storage,
      prefix: `${prefix}out.`,
    });
    this.receipts = new Receipts(line, time);
    this.sync = new Sync({
      line,
      later: time,
      storage,
      key: `${prefix}cursor`,
      page: (messages) => this.take(messages),
      reset: () => this.reset(),
      done: () => this.synced(),
    });
    this.blocks = new Blocks(line, storage, `${prefix}blocks`, (userId) => this.emit("blocks", userId));
    this.watch = new TypingWatch(time, (senderId) => this.emit("typing", { senderId, username: "", isTyping: false }));
    this.listen(socket);
  }

  /** Begins; from then on the connection keeps itself up. */
  connect(): void {
    this.line.connect();
  }

  /** Ends for good. What stays stored for the next time: everything, what is queued, or (after a logout) nothing. */
  close(keep: "everything" | "queue" | "nothing" = "everything"): void {
    this.pause();
    this.line.close();
    if (keep === "everything") return;
    const own = this.storage.keys().filter((key) => key.startsWith(this.prefix));
    for (const key of own) if (keep === "nothing" || !key.startsWith(`${this.prefix}out.`)) this.storage.remove(key);
  }

  /** Tries to connect now instead of at the next planned moment. */
  reconnectNow(): void {
    this.line.reconnectNow();
  }

  /** What is known of the conversation with somebody. */
  conversation(userId: string): Conversation {
    const hasEarlier = this.history.cursor(userId) !== null;
    return { ...this.logs.get(userId), hasEarlier, pending: this.outbox.entries(userId) };
  }

  /** Whom queued messages are for; after a reload, before anything else is known. */
  queuedFor(): string[] {
    return this.outbox.receivers();
  }

  /** Others who are online. */
  online(): Presence[] {
    return [...this.present.values()];
  }

  /** Sends a message, now or as soon as there is a line. Throws `queue_full`. */
  send(receiverId: string, text: string): Entry {
    if (this.outbox.size >= this.maxQueued) throw new ChatError({ code: "queue_full", message: "Too many messages wait to be sent." });
    return this.queue({ clientId: this.newId(), receiverId, text, createdAt: this.now(), failure: null });
  }

  /** Sends a refused message again; under the same name, should it have been stored after all. */
  retry({ receiverId, clientId }: Entry): void {
    const entry = this.outbox.remove(receiverId, clientId);
    if (entry !== null) this.queue({ ...entry, failure: null });
  }

  /** Forgets a message that is not sent. */
  discard({ receiverId, clientId }: Entry): void {
    this.outbox.remove(receiverId, clientId);
    this.emit("conversation", receiverId);
  }

  /** Changes the text of one's own message. */
  async edit(messageId: string, text: string): Promise<void> {
    const { message } = await this.line.request<{ message: Message }>("edit_message", { messageId, message: text });
    this.take([message]);
  }

  /** Deletes one's own message on both sides. */
  async delete(messageId: string): Promise<void> {
    await this.line.request("delete_message", { messageId });
    this.deleted(messageId);
  }

  /** Marks everything up to a received message as read, on all devices. */
  async markRead(messageId: string): Promise<void> {
    await this.line.request("message_read", { messageId });
    this.receipt("read", messageId);
  }

  /** Tells somebody that one types, or no longer. It is lost without a line. */
  typing(receiverId: string, isTyping: boolean): void {
    if (this.line.isUp) this.line.ask("typing", { receiverId, isTyping }, () => {});
  }

  /** Neither can write to the other any more, nor see whether the other is online. */
  block(userId: string): Promise<void> {
    return this.blocks.ask(userId, true);
  }

  unblock(userId: string): Promise<void> {
    return this.blocks.ask(userId, false);
  }

  /** Whether one has blocked somebody, on whichever device; of another device's change one learns at the next connect. */
  isBlocked(userId: string): boolean {
    return this.blocks.has(userId);
  }

  /** Loads the newest messages of a conversation; from then on its list is kept complete. */
  load(userId: string): Promise<void> {
    return this.history.newest(userId);
  }

  /** Loads the page before the first message. */
  loadEarlier(userId: string): Promise<void> {
    return this.history.earlier(userId);
  }

  /** Takes messages in that came another way (the list of conversations): they are on this device now. */
  take(messages: readonly Message[]): void {
    const byOther = new Map<string, Message[]>();
    for (const message of messages) {
      const other = this.logs.other(message);
      byOther.set(other, [...(byOther.get(other) ?? []), message]);
      if (message.senderId === this.me && message.clientId !== undefined) this.outbox.remove(other, message.clientId);
    }
    for (const [userId, arrived] of byOther) {
      const news = arrived.filter(({ id }) => this.logs.find(id) === null).sort((a, b) => a.seq - b.seq);
      this.logs.put(userId, arrived);
      for (const message of news) this.emit("message", this.logs.find(message.id) ?? message);
      this.emit("conversation", userId);
      if (!this.sync.walking) void this.history.fill(userId);
    }
    this.owe(messages);
  }

  private queue(entry: Entry): Entry {
    this.outbox.add(entry);
    this.emit("conversation", entry.receiverId);
    return entry;
  }

  private listen(socket: SocketLike): void {
    socket.on("private_message", (message: Message) => {
      this.take([message]);
      this.live += 1;
      if (this.live >= SYNC_AFTER && !this.sync.walking) this.walk();
    });
    socket.on("message_edited", (message: Message) => this.edited(message));
    socket.on("message_deleted", ({ messageId }: { messageId: string }) => this.deleted(messageId));
    socket.on("message_read", ({ messageId }: { messageId: string }) => this.receipt("read", messageId));
    socket.on("message_delivered", ({ messageId }: { messageId: string }) => this.receipt("delivered", messageId));
    socket.on("typing", (typing: Typing) => {
      this.watch.seen(typing.senderId, typing.isTyping);
      this.emit("typing", typing);
    });
    socket.on("online_users", (users: Presence[]) => {
      this.present.clear();
      for (const user of users) this.present.set(user.userId, user);
      this.emit("online", users);
    });
    socket.on("user_online", (user: Presence) => this.presence(user, true));
    socket.on("user_offline", (user: Presence) => this.presence(user, false));
  }

  private connection(connection: Connection): void {
    if (connection.status === "online") {
      this.outbox.resume();
      this.walk();
      void this.blocks.read();
    } else this.pause();
    this.emit("connection", connection);
  }

  private walk(): void {
    this.live = 0;
    this.receipts.hold();
    this.sync.start();
  }

  private pause(): void {
    this.outbox.pause();
    this.sync.stop();
    this.receipts.hold();
  }

  private synced(): void {
    this.receipts.release();
    for (const userId of this.logs.ids()) void this.history.fill(userId);
    this.emit("synced");
  }

  private reset(): void {
    const loaded = this.logs.loaded();
    for (const userId of this.logs.ids()) {
      if (!loaded.includes(userId)) this.logs.unload(userId);
      else void this.history.newest(userId, true).catch(() => this.logs.unload(userId));
    }
    this.emit("reset");
  }

  private edited(message: Message): void {
    if (this.logs.find(message.id) !== null) this.take([message]);
    else this.emit("elsewhere", message.id);
  }

  private deleted(messageId: string): void {
    const message = this.logs.erase(messageId);
    if (message === null) this.emit("elsewhere", messageId);
    else this.emit("conversation", this.logs.other(message));
  }

  private receipt(kind: "read" | "delivered", messageId: string): void {
    const message = this.logs.mark(messageId, kind);
    if (message !== null && kind === "read") this.receipts.read(message);
    if (message !== null) this.emit("conversation", this.logs.other(message));
    this.emit("receipt", kind, message);
  }

  private presence(user: Presence, isOnline: boolean): void {
    if (isOnline) this.present.set(user.userId, user);
    else this.present.delete(user.userId);
    this.emit("presence", user, isOnline);
  }

  private owe(messages: readonly Message[]): void {
    for (const message of messages) if (message.receiverId === this.me) this.receipts.owe(message);
  }
}
