import { describe, expect, it } from "vitest";
import type { Action } from "../src/state/actions";
import { type Pending, conversationWith } from "../src/state/model";
import { reduce } from "../src/state/reduce";
import { conversationEntries, lastSaid, people, unreadTotal } from "../src/state/select";
import { ANN, ME, after, message, run, user } from "./builders";

const arrives = (seq: number, from = ANN): Action => ({ type: "message", message: message(seq, from) });
const row = (seq: number, unreadCount: number): Action => ({
  type: "conversations",
  rows: [{ user: user(ANN), lastMessage: message(seq), unreadCount }],
  next: null,
  append: false,
});
const page = (from: number, to: number): Action => ({ type: "newest", userId: ANN, messages: run(from, to), next: null, isFresh: true });
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
    expect(ann(page(1, 5), { type: "read", messageId: "m5" }, row(5, 5)).unread).toBe(0);
  });

  it("fall to what follows the message that was read on another device", () => {
    expect(ann(row(0, 0), arrives(1), arrives(2), arrives(3), { type: "read", messageId: "m2" }).unread).toBe(1);
  });

  it("stop at a hundred, as the server's do", () => {
    const many = run(1, 130).map((m): Action => ({ type: "message", message: m }));
    expect(unreadTotal(after(...many))).toBe(100);
  });
});

describe("read marks", () => {
  it("tick one's own messages up to the one that was read", () => {
    const { messages } = ann(arrives(1, ME), arrives(2, ME), arrives(3, ME), { type: "read", messageId: "m2" });
    expect(messages.map((m) => m.isRead)).toEqual([true, true, false]);
  });

  it("of unknown messages change nothing", () => {
    const before = after(arrives(1));
    expect(reduce(before, { type: "read", messageId: "m9" })).toBe(before);
  });
});

describe("messages under way", () => {
  it("give way to the stored message of the same name, whichever way that comes", () => {
    const stored: Action = { type: "message", message: message(1, ME, { clientId: "c1" }) };
    const conversation = ann({ type: "pending", pending: unsent }, stored, stored);
    expect(conversation.pending).toEqual([]);
    expect(conversation.messages).toHaveLength(1);
  });

  it("stay when somebody else happens to use the same name", () => {
    const theirs: Action = { type: "message", message: message(1, ANN, { clientId: "c1" }) };
    expect(ann({ type: "pending", pending: unsent }, theirs).pending).toHaveLength(1);
  });

  it("keep the reason for which they were refused", () => {
    const failed: Action = { type: "pending-failed", pending: unsent, reason: "no" };
    expect(ann({ type: "pending", pending: unsent }, failed).pending[0]?.failure).toBe("no");
  });

  it("stand last in the list of conversations", () => {
    expect(lastSaid(ann(arrives(1), { type: "pending", pending: unsent }))?.text).toBe("hello");
  });
});

describe("a lost line", () => {
  it("makes histories stale and ends typing signs", () => {
    const conversation = ann(page(1, 2), { type: "typing", userId: ANN, isTyping: true }, { type: "connection", connection: { status: "lost" } });
    expect(conversation).toMatchObject({ history: "stale", typing: false });
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
