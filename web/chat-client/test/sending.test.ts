import { beforeEach, describe, expect, it } from "vitest";
import { memoryStorage } from "../src/index.js";
import { ANN, Bench, ME, message, refusal, settle, stored } from "./server.js";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

const names = () => bench.said("private_message", "clientId");
const answer = (index: number, value: unknown) => bench.socket.sent("private_message")[index]?.answer(value);
const pending = () => bench.client.conversation(ANN).pending;

describe("sending", () => {
  it("waits for a line, then goes out under the name it was given", () => {
    bench.client.send(ANN, "hello");
    expect(names()).toEqual([]);
    bench.up();
    expect(bench.last("private_message").payload).toEqual({ receiverId: ANN, message: "hello", clientId: "c1" });
  });

  it("turns the queued message into the stored one", () => {
    bench.up();
    bench.client.send(ANN, "hello");
    answer(0, stored(1, "c1"));
    expect(pending()).toEqual([]);
    expect(bench.seqs).toEqual([1]);
  });

  it("sends again, under the same name, when no answer comes in time", () => {
    bench.up();
    bench.client.send(ANN, "hello");
    bench.last("private_message").lose();
    bench.clock.pass(500);
    answer(1, stored(1, "c1"));
    expect(names()).toEqual(["c1", "c1"]);
    expect(bench.seqs).toEqual([1]);
  });

  it("sends again what was unanswered when the line went down, in order", () => {
    bench.up();
    bench.client.send(ANN, "one");
    bench.client.send(ANN, "two");
    bench.down();
    bench.clock.pass(60_000);
    expect(names()).toEqual(["c1"]);
    bench.up();
    answer(1, stored(1, "c1"));
    expect(names()).toEqual(["c1", "c1", "c2"]);
  });

  it("tries again after the time that a passing refusal names, and lets nothing overtake it", () => {
    bench.up();
    bench.client.send(ANN, "one");
    bench.client.send(ANN, "two");
    bench.client.send("bob", "three");
    answer(0, refusal("unavailable", 2_000));
    bench.clock.pass(1_999);
    expect(names()).toEqual(["c1", "c3"]);
    bench.clock.pass(1);
    answer(2, stored(1, "c1"));
    expect(names()).toEqual(["c1", "c3", "c1", "c2"]);
  });

  it("waits longer each time, up to ten seconds", () => {
    bench.up();
    bench.client.send(ANN, "one");
    for (const wait of [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      bench.last("private_message").lose();
      bench.clock.pass(wait - 1);
      const before = names().length;
      bench.clock.pass(1);
      expect(names()).toHaveLength(before + 1);
    }
  });

  it.each(["invalid_input", "forbidden", "conflict", "not_found"])("marks what is refused as %s, and goes on with the next", (code) => {
    bench.up();
    bench.client.send(ANN, "one");
    bench.client.send(ANN, "two");
    answer(0, refusal(code));
    expect(names()).toEqual(["c1", "c2"]);
    expect(pending().map(({ failure }) => failure?.code)).toEqual([code, undefined]);
    expect(bench.of("failed")).toHaveLength(1);
  });

  it("sends a refused message again under the same name when asked to, or forgets it", () => {
    bench.up();
    const entry = bench.client.send(ANN, "one");
    answer(0, refusal("forbidden"));
    bench.client.retry(entry);
    expect(names()).toEqual(["c1", "c1"]);
    bench.client.discard(entry);
    expect(pending()).toEqual([]);
  });

  it("takes its own message off the queue when that comes as an event before the answer", () => {
    bench.up();
    bench.client.send(ANN, "one");
    bench.socket.hear("private_message", message(1, ME, { clientId: "c1" }));
    answer(0, stored(1, "c1"));
    expect([pending(), bench.seqs]).toEqual([[], [1]]);
  });

  it("keeps the queue bounded, and says when it is full", () => {
    bench = new Bench(memoryStorage(), { maxQueued: 1 });
    bench.client.send(ANN, "one");
    expect(() => bench.client.send(ANN, "two")).toThrow(expect.objectContaining({ code: "queue_full" }));
  });
});

describe("the queue over a reload", () => {
  it("is sent in the order in which it was written, under the same names", () => {
    for (const text of ["one", "two", "three"]) bench.client.send(ANN, text);
    const reloaded = new Bench(bench.storage);
    expect(reloaded.client.queuedFor()).toEqual([ANN]);
    reloaded.up();
    for (const [i, name] of ["c1", "c2", "c3"].entries()) {
      expect(reloaded.last("private_message").payload).toMatchObject({ clientId: name });
      reloaded.last("private_message").answer(stored(i + 1, name));
    }
    expect(reloaded.messages.map((m) => m.clientId)).toEqual(["c1", "c2", "c3"]);
    expect(reloaded.storage.keys().some((key) => key.includes(".out."))).toBe(false);
  });

  it("sends what was on its way once more, and still shows it once", () => {
    bench.up();
    bench.client.send(ANN, "one");
    const reloaded = new Bench(bench.storage);
    reloaded.up([message(1, ME, { clientId: "c1" })]);
    reloaded.last("private_message").answer(stored(1, "c1"));
    expect([reloaded.seqs, reloaded.client.conversation(ANN).pending]).toEqual([[1], []]);
  });

  it("keeps what another tab has queued meanwhile", () => {
    const other = new Bench(bench.storage);
    bench.client.send(ANN, "mine");
    other.up();
    expect(bench.storage.keys()).toContain("chat.me.out.c1");
  });

  it("keeps refused messages with the reason, and does not send them", () => {
    bench.up();
    bench.client.send(ANN, "one");
    answer(0, refusal("forbidden"));
    const reloaded = new Bench(bench.storage);
    reloaded.up();
    expect(reloaded.socket.sent("private_message")).toEqual([]);
    expect(reloaded.client.conversation(ANN).pending[0]?.failure?.code).toBe("forbidden");
  });

  it("works on without a storage that can be read", () => {
    bench.storage.set("chat.me.out.x", "{broken");
    const reloaded = new Bench(bench.storage);
    expect(reloaded.client.queuedFor()).toEqual([]);
  });

  it("is kept when the token ends, and forgotten when somebody logs out", () => {
    bench.up();
    bench.client.send(ANN, "one");
    bench.socket.hear("error", { code: "unauthorized", message: "expired" });
    expect(bench.storage.keys()).toEqual(["chat.me.out.c1"]);
    bench.client.close("nothing");
    expect(bench.storage.keys()).toEqual([]);
  });
});

describe("requests about messages", () => {
  it("fail at once without a line", async () => {
    await expect(bench.client.edit("m1", "x")).rejects.toMatchObject({ code: "offline" });
  });

  it("are repeated after a passing refusal, and fail with a lasting one", async () => {
    bench.up();
    const editing = bench.client.edit("m1", "new");
    bench.last("edit_message").answer(refusal("unavailable", 100));
    bench.clock.pass(100);
    bench.last("edit_message").answer(refusal("forbidden"));
    await expect(editing).rejects.toMatchObject({ code: "forbidden" });
    expect(bench.socket.sent("edit_message")).toHaveLength(2);
    await settle();
  });

  it("are the same on every device, once connected", async () => {
    const page = (ids: string[], next: string | null) => ({ ok: true, blocked: ids.map((userId) => ({ userId, username: userId })), next });
    bench.storage.set("chat.me.blocks", "bob,cleo");
    const device = new Bench(bench.storage);
    device.up();
    device.last("get_blocked").answer(page([ANN], ANN));
    await settle();
    expect(device.last("get_blocked").payload).toMatchObject({ after: ANN });
    expect(device.client.isBlocked("bob")).toBe(true);
    device.last("get_blocked").answer(page(["cleo"], null));
    await settle();
    expect(device.of("blocks")).toEqual([["blocks", "bob"], ["blocks", ANN]]);
    expect(device.storage.get("chat.me.blocks")).toBe("cleo,ann");
  });

  it("are read again where one changes them while they are read", async () => {
    bench.up();
    const early = bench.last("get_blocked");
    const blocking = bench.client.block(ANN);
    bench.last("block_user").answer({ ok: true });
    await blocking;
    early.answer({ ok: true, blocked: [], next: null });
    await settle();
    expect([bench.client.isBlocked(ANN), bench.socket.sent("get_blocked").length]).toEqual([true, 2]);
    bench.last("get_blocked").answer({ ok: true, blocked: [{ userId: ANN, username: ANN }], next: null });
    await settle();
    expect([bench.client.isBlocked(ANN), bench.of("blocks")]).toEqual([true, [["blocks", ANN]]]);
  });

  it("stand as this device knew them while the list cannot be read", async () => {
    bench.storage.set("chat.me.blocks", ANN);
    const device = new Bench(bench.storage);
    device.up();
    device.last("get_blocked").answer(refusal("internal"));
    await settle();
    expect(device.client.isBlocked(ANN)).toBe(true);
  });

  it("remember whom one blocked, also after a reload", async () => {
    bench.up();
    const blocking = bench.client.block(ANN);
    bench.last("block_user").answer({ ok: true });
    await blocking;
    expect(new Bench(bench.storage).client.isBlocked(ANN)).toBe(true);
    const unblocking = bench.client.unblock(ANN);
    bench.last("unblock_user").answer({ ok: true });
    await unblocking;
    expect(bench.client.isBlocked(ANN)).toBe(false);
  });
});
