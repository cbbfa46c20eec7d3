// One line of a conversation: a message with its time and fate, or a day.
import type { Chat } from "../chat";
import { h, hidden, setText } from "../dom";
import { timeOfDay } from "../format";
import { icon } from "../icons";
import type { Bubble, Fate, Line } from "../state/lines";

const drawn = new WeakMap<HTMLElement, string>();

const fates: Record<Fate, { icon: "clock" | "warning" | "sent" | "read"; text: string }> = {
  sending: { icon: "clock", text: "Sending" },
  failed: { icon: "warning", text: "Not sent" },
  sent: { icon: "sent", text: "Sent" },
  read: { icon: "read", text: "Read" },
};

/** Makes the element of a line, to be filled by `updateLine`. */
export function createLine(line: Line): HTMLElement {
  return h("li", { class: line.kind === "day" ? "day" : "message" });
}

/** Draws a line anew if anything of it changed. */
export function updateLine(chat: Chat, element: HTMLElement, line: Line, author: string): void {
  if (line.kind === "day") return setText(element, line.label);
  const { id, text, fate, first, last, pending } = line;
  const signature = JSON.stringify([id, text, fate, first, last, pending?.failure, author]);
  if (drawn.get(element) === signature) return;
  drawn.set(element, signature);
  draw(chat, element, line, author);
}

function draw(chat: Chat, element: HTMLElement, bubble: Bubble, author: string): void {
  element.className = "message";
  element.classList.add(bubble.mine ? "is-mine" : "is-theirs");
  element.classList.toggle("is-first", bubble.first);
  element.classList.toggle("is-last", bubble.last);
  if (bubble.id !== null) element.dataset["id"] = bubble.id;
  if (bubble.fate !== null) element.dataset["fate"] = bubble.fate;
  const time = h("time", { datetime: new Date(bubble.time).toISOString() }, timeOfDay(bubble.time));
  const meta = h("span", { class: "meta" }, time);
  if (bubble.fate !== null) meta.append(icon(fates[bubble.fate].icon), hidden(`, ${fates[bubble.fate].text}`));
  const text = h("p", { class: "text", dir: "auto" }, bubble.text);
  element.replaceChildren(h("div", { class: "bubble" }, hidden(`${bubble.mine ? "You" : author}: `), text, meta));
  if (bubble.fate === "failed") element.append(failure(chat, bubble));
}

function failure(chat: Chat, { pending }: Bubble): HTMLElement {
  const act = (label: string, onclick: () => void) => h("button", { type: "button", class: "link", onclick }, label);
  if (pending === null) return h("span");
  const reason = h("span", {}, `Not sent. ${pending.failure ?? ""}`);
  const again = act("Try again", () => chat.retry(pending));
  const away = act("Delete", () => chat.discard(pending));
  return h("div", { class: "failure", role: "alert" }, reason, again, away);
}
