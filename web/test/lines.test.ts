import { describe, expect, it } from "vitest";
import { charCount, dayLabel, isBlank, lastSeen } from "../src/format";
import { type Bubble, linesOf } from "../src/state/lines";
import { emptyConversation } from "../src/state/model";
import { ANN, ME, message } from "./builders";

const now = Date.UTC(2026, 0, 2, 12);
const draw = (...messages: ReturnType<typeof message>[]) => linesOf({ ...emptyConversation, loaded: true, messages }, ME, now);
const bubbles = (lines: ReturnType<typeof draw>) => lines.filter((line): line is Bubble => line.kind === "message");

describe("lines", () => {
  it("say the day before its first message", () => {
    const lines = draw(message(1), message(2, ANN, { timestamp: "2026-01-02T11:00:00.000Z" }));
    expect(lines.map((line) => (line.kind === "day" ? line.label : line.text))).toEqual(["Yesterday", "text 1", "Today", "text 2"]);
  });

  it("group what one person writes within five minutes", () => {
    const drawn = bubbles(draw(message(1), message(2), message(3, ME), message(10, ME)));
    expect(drawn.map(({ first, last }) => [first, last])).toEqual([[true, false], [false, true], [true, true], [true, true]]);
  });

  it("keep the key of an own message when it changes from under way to stored", () => {
    const pending = { clientId: "c1", receiverId: ANN, text: "x", createdAt: now, failure: null };
    const [before] = bubbles(linesOf({ ...emptyConversation, pending: [pending] }, ME, now));
    const [stored] = bubbles(draw(message(1, ME, { clientId: "c1" })));
    expect([before?.fate, stored?.fate]).toEqual(["sending", "sent"]);
    expect(stored?.key).toBe(before?.key);
  });

  it("tell the fates of own messages apart, and give others none", () => {
    const drawn = bubbles(draw(message(1, ME, { isRead: true }), message(2, ME, { deliveredAt: "2026-01-01" }), message(3, ME), message(4)));
    expect(drawn.map(({ fate }) => fate)).toEqual(["read", "delivered", "sent", null]);
  });

  it("say what was edited, and of deleted messages only that they were", () => {
    const editedAt = "2026-01-01";
    const drawn = bubbles(draw(message(1, ME, { editedAt }), message(2, ME, { editedAt, deletedAt: "2026-01-02", message: "" })));
    expect(drawn.map(({ edited, deleted, fate }) => [edited, deleted, fate])).toEqual([[true, false, "sent"], [false, true, null]]);
  });
});

describe("a history that is not loaded yet", () => {
  it("shows what is under way, and nothing in pieces", () => {
    const pending = [{ clientId: "c1", receiverId: ANN, text: "x", createdAt: now, failure: null }];
    const drawn = bubbles(linesOf({ ...emptyConversation, messages: [message(9)], pending }, ME, now));
    expect(drawn.map(({ text }) => text)).toEqual(["x"]);
  });
});

describe("format", () => {
  it("counts characters as the server does", () => {
    expect(charCount("a👋é")).toBe(3);
  });

  it("knows a text with nothing to see", () => {
    expect(["", " \n\t", "\u200b\u2060\ufeff\u200d", "\u3000"].map(isBlank)).toEqual([true, true, true, true]);
    expect([" a ", "👋", "."].map(isBlank)).toEqual([false, false, false]);
  });

  it("names near days by their names", () => {
    expect(dayLabel(now - 2 * 86_400_000, now)).toBe("Wednesday");
    expect(dayLabel(now - 20 * 86_400_000, now)).toBe("December 13, 2025");
  });

  it("says when somebody was here", () => {
    expect(lastSeen(null, now)).toBe("Offline");
    expect(lastSeen(new Date(now - 5 * 60_000).toISOString(), now)).toBe("Last seen 5 min ago");
  });
});
