import { describe, expect, it } from "vitest";
import { insert, markRead, mergeEarlier, mergeNewest } from "../src/state/messages";
import { ANN, ME, message, run } from "./builders";

const seqs = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq);

describe("insert", () => {
  it("puts a message where its number says, whenever it arrives", () => {
    const arrived = [3, 1, 2].map((seq) => message(seq));
    expect(seqs(arrived.reduce(insert, [] as ReturnType<typeof run>))).toEqual([1, 2, 3]);
  });

  it("takes the same message once", () => {
    expect(insert(run(1, 3), message(2))).toHaveLength(3);
  });

  it("never turns a read message unread", () => {
    const known = [message(1, ME, { isRead: true })];
    expect(insert(known, message(1, ME))[0]?.isRead).toBe(true);
  });
});

describe("mergeNewest", () => {
  it("joins a page that follows on what is known", () => {
    const merged = mergeNewest({ messages: run(3, 7), earlier: "m3" }, run(6, 9), "m6");
    expect(seqs(merged.messages)).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(merged.earlier).toBe("m3");
  });

  it("drops what lies behind a gap, and loads it again from the page's cursor", () => {
    const merged = mergeNewest({ messages: run(1, 5), earlier: null }, run(20, 30), "m20");
    expect(seqs(merged.messages)).toEqual(seqs(run(20, 30)));
    expect(merged.earlier).toBe("m20");
  });

  it("keeps only the part that joins the page when there is a gap further back", () => {
    const known = [...run(1, 5), ...run(18, 19)];
    const merged = mergeNewest({ messages: known, earlier: null }, run(20, 30), "m20");
    expect(seqs(merged.messages)).toEqual(seqs(run(18, 30)));
    expect(merged.earlier).toBe("m18");
  });

  it("keeps what arrived after the page was read", () => {
    const merged = mergeNewest({ messages: run(31, 32), earlier: null }, run(20, 30), "m20");
    expect(seqs(merged.messages)).toEqual(seqs(run(20, 32)));
  });

  it("knows the beginning of the conversation by its number", () => {
    expect(mergeNewest({ messages: run(1, 5), earlier: "m1" }, run(6, 9), "m6").earlier).toBeNull();
  });

  it("goes on from live messages that reach further back than the page", () => {
    expect(mergeNewest({ messages: run(100, 160), earlier: null }, run(111, 160), "m111").earlier).toBe("m100");
  });

  it("keeps a read mark that the page does not have yet", () => {
    const merged = mergeNewest({ messages: [message(1, ME, { isRead: true })], earlier: null }, [message(1, ME)], null);
    expect(merged.messages[0]?.isRead).toBe(true);
  });
});

describe("mergeEarlier", () => {
  it("puts a page in front, without what it shares with the known ones", () => {
    const merged = mergeEarlier({ messages: run(5, 8), earlier: "m5" }, run(2, 5), "m2");
    expect(seqs(merged.messages)).toEqual(seqs(run(2, 8)));
    expect(merged.earlier).toBe("m2");
  });
});

describe("markRead", () => {
  it("marks one sender's messages up to the number", () => {
    const marked = markRead([message(1, ME), message(2, ANN), message(3, ME), message(4, ME)], ME, 3);
    expect(marked.map((m) => m.isRead)).toEqual([true, false, true, false]);
  });

  it("leaves the list as it is when there is nothing to mark", () => {
    const messages = run(1, 3);
    expect(markRead(messages, ME, 3)).toBe(messages);
  });
});
