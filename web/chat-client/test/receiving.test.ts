import { beforeEach, describe, expect, it } from "vitest";
import { memoryStorage, tickOf } from "../src/index.js";
import { ANN, Bench, ME, message, refusal, run, settle, synced } from "./server.js";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const page = (messages: unknown[]) => ({ ok: true, otherUserId: ANN, messages, next: null });

describe("the list", () => {
  it("is in the order of the numbers, each message once, whatever comes when", async () => {
    bench.up();
    await bench.load(run(1, 3));
    for (const seq of [5, 4, 5, 2, 7, 6]) bench.socket.hear("private_message", message(seq));
    expect(bench.seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(bench.of("message")).toHaveLength(4);
  });

  it("fetches what a number shows to be missing", async () => {
    bench.up();
    await bench.load(run(1, 3));
    bench.socket.hear("private_message", message(6));
    expect(bench.last("get_chat_history").payload).toMatchObject({ after: "m3" });
    bench.last("get_chat_history").answer(page(run(4, 6)));
    await settle();
    expect(bench.seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("forgets what lies before too wide a hole, and can load it again", async () => {
    bench.up();
    await bench.load(run(1, 3));
    bench.socket.hear("private_message", message(900));
    await settle();
    expect([bench.seqs, bench.client.conversation(ANN).hasEarlier]).toEqual([[900], true]);
  });

  it("joins earlier pages in front", async () => {
    bench.up();
    await bench.load(run(51, 100));
    const loading = bench.client.loadEarlier(ANN);
    expect(bench.last("get_chat_history").payload).toMatchObject({ before: "m51" });
    bench.last("get_chat_history").answer(page(run(1, 50)));
    await loading;
    expect([bench.seqs, bench.client.conversation(ANN).hasEarlier]).toEqual([range(1, 100), false]);
  });

  it("stays within its bounds", () => {
    bench = new Bench(memoryStorage(), { maxMessages: 100, maxConversations: 2 });
    bench.up();
    for (const seq of range(1, 300)) bench.socket.hear("private_message", message(seq));
    expect(bench.seqs).toEqual(range(201, 300));
    for (const id of ["bob", "cleo"]) bench.socket.hear("private_message", message(1, id, { id: `of ${id}`, receiverId: ME }));
    expect(bench.seqs).toEqual([]);
  });
});

describe("sync", () => {
  it("goes on from the stored cursor, page by page until it is complete", async () => {
    bench.up([], "here");
    const later = new Bench(bench.storage);
    later.socket.hear("connect");
    expect(later.last("sync").payload).toMatchObject({ since: "here" });
    later.last("sync").answer(synced(run(1, 500), "p1", false));
    expect(later.last("sync").payload).toMatchObject({ since: "p1" });
    expect(later.of("synced")).toEqual([]);
    later.last("sync").answer(synced(run(501, 1_000), "p2"));
    expect(later.seqs).toEqual(range(1, 1_000));
    expect([later.of("synced").length, later.storage.get("chat.me.cursor")]).toEqual([1, "p2"]);
  });

  it("completes a loaded conversation with a thousand missed messages, asking for no history, with one receipt", async () => {
    bench.up();
    await bench.load(run(1, 50));
    bench.down();
    const before = bench.socket.sent("message_delivered").length;
    bench.socket.hear("connect");
    bench.socket.hear("private_message", message(1_051));
    bench.last("sync").answer(synced(run(551, 1_050).reverse(), "p1", false));
    bench.last("sync").answer(synced(run(51, 550).reverse(), "p2"));
    await settle();
    expect(bench.seqs).toEqual(range(1, 1_051));
    expect(bench.socket.sent("get_chat_history")).toHaveLength(1);
    expect(bench.said("message_delivered", "messageId").slice(before)).toEqual(["m1051"]);
  });

  it("starts over when the cursor is refused: without one, with the histories anew", async () => {
    bench.up();
    await bench.load(run(1, 50));
    bench.down();
    bench.socket.hear("connect");
    bench.last("sync").answer(refusal("invalid_input"));
    expect(bench.last("sync").payload).toEqual({});
    expect(bench.of("reset")).toHaveLength(1);
    bench.last("sync").answer(synced([], "fresh"));
    bench.last("get_chat_history").answer(page([message(40, ANN, { editedAt: "2026-01-02", message: "new" }), ...run(41, 60)]));
    await settle();
    expect([bench.seqs, bench.messages[0]?.message]).toEqual([range(40, 60), "new"]);
    expect(bench.storage.get("chat.me.cursor")).toBe("fresh");
  });

  it("is repeated after silence, after a passing refusal, and with the next line", () => {
    bench.socket.hear("connect");
    bench.last("sync").lose();
    bench.clock.pass(500);
    bench.last("sync").answer(refusal("unavailable", 3_000));
    bench.clock.pass(3_000);
    expect(bench.socket.sent("sync")).toHaveLength(3);
    bench.down();
    bench.clock.pass(60_000);
    expect(bench.socket.sent("sync")).toHaveLength(3);
    bench.up();
    expect(bench.of("synced")).toHaveLength(1);
  });

  it("ends when a page neither moves nor completes it", () => {
    bench.up([], "here");
    bench.down();
    bench.socket.hear("connect");
    bench.last("sync").answer(synced([], "here", false));
    expect(bench.socket.sent("sync")).toHaveLength(2);
  });

  it("moves the cursor on while much comes in live", () => {
    bench.up();
    for (const seq of range(1, 200)) bench.socket.hear("private_message", message(seq));
    expect(bench.socket.sent("sync")).toHaveLength(2);
  });
});

describe("receipts of delivery", () => {
  it("are sent for what arrives, one at a time and up to the newest", () => {
    bench.up();
    for (const seq of [1, 2, 3]) bench.socket.hear("private_message", message(seq));
    expect(bench.said("message_delivered", "messageId")).toEqual(["m1"]);
    bench.last("message_delivered").answer({ ok: true, count: 1 });
    expect(bench.said("message_delivered", "messageId")).toEqual(["m1", "m3"]);
    bench.last("message_delivered").answer({ ok: true, count: 2 });
    expect(bench.socket.sent("message_delivered")).toHaveLength(2);
  });

  it("are not sent for one's own messages, nor twice", () => {
    bench.up([message(1, ME), message(2, ANN, { deliveredAt: "2026-01-01" }), message(3, ANN, { isRead: true })]);
    expect(bench.socket.sent("message_delivered")).toEqual([]);
  });

  it("stay owed over a lost line", () => {
    bench.up();
    bench.socket.hear("private_message", message(1));
    bench.down();
    bench.up();
    expect(bench.said("message_delivered", "messageId")).toEqual(["m1", "m1"]);
  });
});

describe("ticks, edits and deletions", () => {
  const tick = (seq: number) => {
    const found = bench.messages.find((m) => m.seq === seq);
    return found === undefined ? null : tickOf(found);
  };

  beforeEach(async () => {
    bench.up();
    await bench.load(run(1, 3, ME));
  });

  it("go up to the message that is named", () => {
    bench.socket.hear("message_delivered", { messageId: "m3" });
    bench.socket.hear("message_read", { messageId: "m2" });
    expect([1, 2, 3].map(tick)).toEqual(["read", "read", "delivered"]);
  });

  it("never go backwards, whatever comes late or twice", () => {
    bench.socket.hear("message_read", { messageId: "m3" });
    bench.socket.hear("message_delivered", { messageId: "m3" });
    bench.socket.hear("private_message", message(2, ME));
    bench.socket.hear("message_edited", message(3, ME, { editedAt: "2026-01-02", message: "new" }));
    expect([1, 2, 3].map(tick)).toEqual(["read", "read", "read"]);
    expect(bench.messages[2]?.message).toBe("new");
  });

  it("that come before their message are kept for it", () => {
    bench.socket.hear("message_delivered", { messageId: "m4" });
    bench.socket.hear("message_read", { messageId: "m4" });
    bench.socket.hear("message_delivered", { messageId: "m4" });
    bench.socket.hear("message_deleted", { messageId: "m5" });
    bench.client.take([message(4, ME), message(5, ME)]);
    expect([tick(4), bench.messages[4]?.message]).toEqual(["read", ""]);
  });

  it("take the later of two edits, in either order", () => {
    const first = message(1, ME, { editedAt: "2026-01-02T00:00:00.001Z", message: "first" });
    const second = message(1, ME, { editedAt: "2026-01-02T00:00:00.002Z", message: "second" });
    for (const reading of [second, first]) bench.socket.hear("message_edited", reading);
    expect(bench.messages[0]?.message).toBe("second");
  });

  it("never bring a deleted message back", () => {
    bench.socket.hear("message_deleted", { messageId: "m1" });
    bench.socket.hear("message_edited", message(1, ME, { editedAt: "2027-01-01", message: "late" }));
    bench.socket.hear("message_deleted", { messageId: "m1" });
    expect(bench.messages[0]).toMatchObject({ message: "" });
    expect(bench.messages[0]?.deletedAt).toBeDefined();
    expect(bench.seqs).toEqual([1, 2, 3]);
  });

  it("of what is not known here are told as such", () => {
    bench.socket.hear("message_edited", message(99, ANN, { id: "unknown" }));
    bench.socket.hear("message_read", { messageId: "unknown too" });
    expect(bench.of("elsewhere")).toEqual([["elsewhere", "unknown"]]);
    expect(bench.of("receipt")).toEqual([["receipt", "read", null]]);
  });
});

describe("the connection", () => {
  it("is over when the token is refused on connecting", () => {
    bench.socket.active = false;
    bench.socket.hear("connect_error", Object.assign(new Error("x"), { data: { code: "unauthorized", message: "expired" } }));
    expect(bench.heard).toEqual([["unauthorized", "expired"]]);
    bench.clock.pass(60_000);
    expect(bench.socket.connects).toBe(0);
  });

  it("is over when the token ends while connected", () => {
    bench.up();
    bench.socket.hear("error", { code: "unauthorized", message: "expired" });
    bench.socket.hear("disconnect", "io server disconnect");
    expect(bench.of("unauthorized")).toHaveLength(1);
    expect(bench.of("connection")).toHaveLength(1);
  });

  it("is tried again after a refusal of another kind, which is told", () => {
    bench.socket.active = false;
    bench.socket.hear("connect_error", Object.assign(new Error("x"), { data: { code: "forbidden", message: "too many devices" } }));
    expect(bench.heard).toEqual([["connection", { status: "refused", reason: "too many devices" }]]);
    bench.clock.pass(15_000);
    expect(bench.socket.connects).toBe(1);
  });

  it("is left to the official client while that comes back by itself", () => {
    bench.up();
    bench.down();
    bench.clock.pass(60_000);
    expect(bench.socket.connects).toBe(0);
    expect(bench.of("connection").at(-1)).toEqual(["connection", { status: "lost" }]);
  });
});

describe("presence and typing", () => {
  it("are a list that follows the events", () => {
    bench.up();
    bench.socket.hear("online_users", [{ userId: ANN, username: ANN }, { userId: "bob", username: "bob" }]);
    bench.socket.hear("user_offline", { userId: ANN, username: ANN });
    bench.socket.hear("user_online", { userId: "cleo", username: "cleo" });
    expect(bench.client.online().map(({ userId }) => userId)).toEqual(["bob", "cleo"]);
  });

  it("end by themselves when the end gets lost, and are not said without a line", () => {
    bench.client.typing(ANN, true);
    expect(bench.socket.emitted).toEqual([]);
    bench.up();
    bench.socket.hear("typing", { senderId: ANN, username: ANN, isTyping: true });
    bench.clock.pass(7_000);
    expect(bench.of("typing").map(([, typing]) => (typing as { isTyping: boolean }).isTyping)).toEqual([true, false]);
  });
});
