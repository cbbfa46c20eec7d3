import { beforeEach, describe, expect, it } from "vitest";
import { ChatClient, type ChatEvents } from "../src/chat-client";
import type { Letter } from "../src/outbox";
import { Clock } from "./clock";
import { FakeSocket } from "./fake-socket";
import { ME, message } from "./builders";

const letter = (clientId: string, receiverId = "ann"): Letter => ({ clientId, receiverId, text: `text of ${clientId}` });
const stored = (seq: number, clientId: string) => ({ ok: true, message: message(seq, ME, { clientId }) });

let socket: FakeSocket;
let clock: Clock;
let client: ChatClient<Letter>;
let heard: unknown[][];

beforeEach(() => {
  socket = new FakeSocket();
  clock = new Clock();
  heard = [];
  const note = (name: string) => (...args: unknown[]) => void heard.push([name, ...args]);
  const names = ["connection", "unauthorized", "message", "read", "typing", "online", "presence", "delivered", "refused", "failed"];
  const events = Object.fromEntries(names.map((name) => [name, note(name)])) as unknown as ChatEvents<Letter>;
  client = new ChatClient(socket, events, clock.later);
});

const heardOf = (name: string) => heard.filter(([event]) => event === name);
const names = () => socket.sent("private_message").map(({ payload }) => payload["clientId"]);

describe("sending", () => {
  it("waits for a line, then goes out under the name it was given", () => {
    client.send(letter("c1"));
    expect(names()).toEqual([]);
    socket.hear("connect");
    expect(socket.emitted[0]?.payload).toEqual({ receiverId: "ann", message: "text of c1", clientId: "c1" });
  });

  it("reports what the server stored", () => {
    socket.hear("connect");
    client.send(letter("c1"));
    socket.emitted[0]?.answer(stored(1, "c1"));
    expect(heardOf("delivered")).toHaveLength(1);
  });

  it("sends again, under the same name, when no answer comes in time", () => {
    socket.hear("connect");
    client.send(letter("c1"));
    socket.emitted[0]?.lose();
    clock.pass(500);
    expect(names()).toEqual(["c1", "c1"]);
  });

  it("sends again what was unanswered when the line went down, in order", () => {
    socket.hear("connect");
    client.send(letter("c1"));
    client.send(letter("c2"));
    socket.hear("disconnect", "transport close");
    socket.emitted[0]?.lose();
    clock.pass(60_000);
    expect(names()).toEqual(["c1"]);
    socket.hear("connect");
    socket.emitted[1]?.answer(stored(1, "c1"));
    expect(names()).toEqual(["c1", "c1", "c2"]);
  });

  it("does not let a message overtake one that must be repeated", () => {
    socket.hear("connect");
    client.send(letter("c1"));
    client.send(letter("c2"));
    socket.emitted[0]?.answer({ ok: false, error: { code: "unavailable", message: "busy", retryAfterMs: 2_000 } });
    clock.pass(1_999);
    expect(names()).toEqual(["c1"]);
    clock.pass(1);
    socket.emitted[1]?.answer(stored(1, "c1"));
    expect(names()).toEqual(["c1", "c1", "c2"]);
  });

  it("keeps conversations apart", () => {
    socket.hear("connect");
    client.send(letter("c1", "ann"));
    client.send(letter("c2", "bob"));
    expect(names()).toEqual(["c1", "c2"]);
  });

  it("waits longer each time, up to ten seconds", () => {
    socket.hear("connect");
    client.send(letter("c1"));
    for (const wait of [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      socket.emitted.at(-1)?.lose();
      clock.pass(wait - 1);
      const before = socket.emitted.length;
      clock.pass(1);
      expect(socket.emitted.length).toBe(before + 1);
    }
  });

  it("gives up what the server refuses, and goes on with the next", () => {
    socket.hear("connect");
    client.send(letter("c1"));
    client.send(letter("c2"));
    socket.emitted[0]?.answer({ ok: false, error: { code: "not_found", message: "no such user" } });
    expect(heardOf("refused")).toEqual([["refused", letter("c1"), { code: "not_found", message: "no such user" }]]);
    expect(names()).toEqual(["c1", "c2"]);
  });
});

describe("the connection", () => {
  it("is over when the token is refused on connecting", () => {
    socket.active = false;
    socket.hear("connect_error", Object.assign(new Error("x"), { data: { code: "unauthorized", message: "expired" } }));
    expect(heard).toEqual([["unauthorized", "expired"]]);
    clock.pass(60_000);
    expect(socket.connects).toBe(0);
  });

  it("is over when the token ends while connected", () => {
    socket.hear("connect");
    socket.hear("error", { code: "unauthorized", message: "expired" });
    socket.hear("disconnect", "io server disconnect");
    expect(heardOf("unauthorized")).toHaveLength(1);
    expect(heardOf("connection")).toHaveLength(1);
  });

  it("is tried again after a refusal of another kind, which is told", () => {
    socket.active = false;
    socket.hear("connect_error", Object.assign(new Error("x"), { data: { code: "forbidden", message: "too many devices" } }));
    expect(heard).toEqual([["connection", { status: "refused", reason: "too many devices" }]]);
    clock.pass(15_000);
    expect(socket.connects).toBe(1);
  });

  it("is left to the official client while that comes back by itself", () => {
    socket.hear("connect");
    socket.hear("disconnect", "transport close");
    clock.pass(60_000);
    expect(socket.connects).toBe(0);
    expect(heardOf("connection").at(-1)).toEqual(["connection", { status: "lost" }]);
  });
});

describe("reading and typing", () => {
  it("are not said without a line", () => {
    const answers: boolean[] = [];
    client.markRead("m1", (ok) => answers.push(ok));
    client.typing("ann", true);
    expect(answers).toEqual([false]);
    expect(socket.emitted).toEqual([]);
  });

  it("tell whether the server knows of the reading", () => {
    const answers: boolean[] = [];
    socket.hear("connect");
    client.markRead("m1", (ok) => answers.push(ok));
    client.markRead("m2", (ok) => answers.push(ok));
    socket.emitted[0]?.answer({ ok: true, count: 1 });
    socket.emitted[1]?.lose();
    expect(answers).toEqual([true, false]);
  });
});
