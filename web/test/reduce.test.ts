import { describe, expect, it } from "vitest";
import type { Action } from "../src/state/actions";
import { type Log, type Pending, conversationWith } from "../src/state/model";
import { reduce } from "../src/state/reduce";
import { conversationEntries, lastSaid, people, unreadTotal } from "../src/state/select";
import type { Message } from "../src/types";
import { ANN, ME, after, message, run, user } from "./builders";

const known = (messages: readonly Message[], more: Partial<Log> = {}): Action => {
  const log: Log = { messages, loaded: true, hasEarlier: false, pending: [], blocked: false, ...more };
  return { type: "log", userId: ANN, log };
};
const arrives = (seq: number, from = ANN): Action => ({ type: "message", message: message(seq, from) });
const reads = (seq: number): Action => ({ type: "read", message: message(seq) });
const row = (seq: number, unreadCount: number): Action => ({
  type: "conversations",
  rows: [{ user: user(ANN), lastMessage: message(seq), unreadCount }],
  next: null,
  append: false,
});
const unsent: Pending = { clientId: "c1", receiverId: ANN, text: "hello", createdAt: 0, failure: null };
const ann = (...actions: Action[]) => conversationWith(after(...actions), ANN);

describe("unread counts", () => {
  it("count what others send, not one's own", () => {
    expect(ann(arrives(1), arrives(2, ME), arrives(3)).unread).toBe(2);
  });

  it("count a message once, however often it comes", () => {
    expect(ann(arrives(1), arrives(1)).unread).toBe(1);
  });

  it("come from the server's list and go on from there", () => {
    expect(ann(row(10, 4), arrives(11)).unread).toBe(5);
  });

  it("are not set back by a list that is older than what arrived since", () => {
    expect(ann(arrives(10), arrives(11), row(10, 0)).unread).toBe(2);
  });

  it("stay at nothing when a list comes late that does not know of the reading yet", () => {
    expect(ann(known(run(1, 5)), reads(5), row(5, 5)).unread).toBe(0);
  });

  it("fall to what follows the message that was read on another device", () => {
    expect(ann(row(0, 0), arrives(1), arrives(2), arrives(3), known(run(1, 3)), reads(2)).unread).toBe(1);
  });

  it("stop at a hundred, as the server's do", () => {
    const many = run(1, 130).map((m): Action => ({ type: "message", message: m }));
    expect(unreadTotal(after(...many))).toBe(100);
  });
});

describe("what the helper knows", () => {
  it("is the conversation's newest message, unless the list of conversations knows a newer one", () => {
    expect(ann(known(run(1, 3))).last?.seq).toBe(3);
    expect(ann(row(9, 0), known(run(1, 3))).last?.seq).toBe(9);
  });

  it("brings a changed last message into the side list", () => {
    const deleted = message(1, ANN, { message: "", deletedAt: "2026-01-01T00:00:00.000Z" });
    expect(lastSaid(ann(arrives(1), known([deleted])))?.text).toBe("Message deleted");
  });

  it("says whether the history still has to be loaded", () => {
    const before = known(run(1, 2));
    expect([ann(before).history, ann(before, known([], { loaded: false })).history]).toEqual(["fresh", "stale"]);
  });

  it("ends acting on a message that was deleted elsewhere", () => {
    const own = message(1, ME);
    const focus: Action = { type: "focus", focused: { message: own, step: "edit" } };
    const edited = { ...own, message: "new", editedAt: "2026-01-01T00:00:00.000Z" };
    expect(after(known([own]), focus, known([edited])).focused?.message.message).toBe("new");
    expect(after(known([own]), focus, known([{ ...own, deletedAt: "2026-01-01T00:00:00.000Z" }])).focused).toBeNull();
  });

  it("stands last in the list of conversations when it is under way", () => {
    expect(lastSaid(ann(arrives(1), known([], { pending: [unsent] })))?.text).toBe("hello");
  });
});

describe("a lost line", () => {
  it("ends typing signs", () => {
    const conversation = ann(known(run(1, 2)), { type: "typing", userId: ANN, isTyping: true }, { type: "connection", connection: { status: "lost" } });
    expect(conversation).toMatchObject({ history: "fresh", typing: false });
  });
});

describe("presence", () => {
  it("is what the server lists, no more", () => {
    const state = after(
      { type: "directory", users: [user(ANN, true), user("bob")], next: null, append: false },
      { type: "online", users: [{ userId: "bob", username: "bob" }] },
    );
    expect([state.users[ANN]?.isOnline, state.users["bob"]?.isOnline]).toEqual([false, true]);
  });

  it("is not taken back by a list that was read before it was told", () => {
    const here = [{ userId: "bob", username: "bob" }];
    const tells = (id: string, isOnline: boolean): Action => ({ type: "presence", user: { userId: id, username: id }, isOnline, at: "2026-01-01T00:00:00.000Z" });
    const told: Action[] = [{ type: "online", users: here }, tells(ANN, true), tells("bob", false)];
    const directory: Action = { type: "directory", users: [user("bob", true), user("cleo", true)], next: null, append: false };
    const state = after(...told, row(1, 0), directory);
    expect([ANN, "bob", "cleo"].map((id) => state.users[id]?.isOnline)).toEqual([true, false, false]);
    const alone = after(...told, { type: "connection", connection: { status: "lost" } }, row(1, 0), directory);
    expect([ANN, "bob", "cleo"].map((id) => alone.users[id]?.isOnline)).toEqual([false, true, true]);
  });

  it("that ends, ends typing and says when", () => {
    const state = after(
      { type: "typing", userId: ANN, isTyping: true },
      { type: "presence", user: { userId: ANN, username: ANN }, isOnline: false, at: "2026-01-01T00:00:00.000Z" },
    );
    expect(conversationWith(state, ANN).typing).toBe(false);
    expect(state.users[ANN]?.lastSeen).toBe("2026-01-01T00:00:00.000Z");
  });
});

describe("the side list", () => {
  it("has a person once: in conversations if something was said, else among people", () => {
    const state = after({ type: "directory", users: [user(ANN), user("bob"), user("cleo", true)], next: null, append: false }, arrives(1));
    expect(conversationEntries(state).map((entry) => entry.user.id)).toEqual([ANN]);
    expect(people(state).map(({ id }) => id)).toEqual(["cleo", "bob"]);
  });

  it("is narrowed by the beginning of a name, whatever its case", () => {
    const state = after(row(1, 0), { type: "query", query: "AN" });
    expect(conversationEntries(state)).toHaveLength(1);
    expect(conversationEntries(reduce(state, { type: "query", query: "nn" }))).toHaveLength(0);
  });
});
