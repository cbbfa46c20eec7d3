import { beforeEach, describe, expect, it } from "vitest";
import { TypingSignal, TypingWatch } from "../src/typing.js";
import { Clock } from "./clock.js";

let clock: Clock;
let told: [string, boolean][];
let signal: TypingSignal;

beforeEach(() => {
  clock = new Clock();
  told = [];
  signal = new TypingSignal({ tell: (id, isTyping) => void told.push([id, isTyping]), later: clock.later, now: clock.now });
});

describe("one's own typing", () => {
  it("is told once, not at every stroke", () => {
    for (let i = 0; i < 20; i += 1) {
      signal.stroke("ann");
      clock.pass(100);
    }
    expect(told).toEqual([["ann", true]]);
  });

  it("is renewed before the server lets it run out", () => {
    for (let i = 0; i < 40; i += 1) {
      signal.stroke("ann");
      clock.pass(200);
    }
    expect(told).toEqual([["ann", true], ["ann", true], ["ann", true]]);
  });

  it("ends with a pause, and when the text is sent", () => {
    signal.stroke("ann");
    clock.pass(4_000);
    signal.stroke("ann");
    signal.stop();
    signal.stop();
    expect(told).toEqual([["ann", true], ["ann", false], ["ann", true], ["ann", false]]);
  });

  it("moves with the conversation", () => {
    signal.stroke("ann");
    signal.stroke("bob");
    expect(told).toEqual([["ann", true], ["ann", false], ["bob", true]]);
  });
});

describe("others' typing", () => {
  it("is not believed for ever", () => {
    const ended: string[] = [];
    const watch = new TypingWatch(clock.later, (id) => ended.push(id));
    watch.seen("ann", true);
    clock.pass(6_000);
    watch.seen("ann", true);
    clock.pass(6_999);
    expect(ended).toEqual([]);
    clock.pass(1);
    expect(ended).toEqual(["ann"]);
  });
});
