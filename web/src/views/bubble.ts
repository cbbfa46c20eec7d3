// One line of a conversation: a message with its time and fate, or a day.
import type { Chat } from "../chat";
import { h, hidden, setText } from "../dom";
import { timeOfDay } from "../format";
import { type IconName, icon } from "../icons";
import type { Bubble, Fate, Line } from "../state/lines";
import type { Focused } from "../state/model";
import { whyNotSent } from "../words";
import { messageActions } from "./message-actions";

const drawn = new WeakMap<HTMLElement, string>();

const fates: Record<Fate, { icon: IconName; text: string }> = {
  sending: { icon: "clock", text: "Sending" },
  failed: { icon: "warning", text: "Not sent" },
  sent: { icon: "sent", text: "Sent" },
  delivered: { icon: "delivered", text: "Delivered" },
  read: { icon: "read", text: "Read" },
};

/** What a line is drawn from beside itself. */
export interface Surroundings {
  /** The other person's name. */
  author: string;
  focused: Focused | null;
}

/** Makes the element of a line, to be filled by `updateLine`. */
export function createLine(line: Line): HTMLElement {
  return h("li", { class: line.kind === "day" ? "day" : "message" });
}

/** Draws a line anew if anything of it changed. */
export function updateLine(chat: Chat, element: HTMLElement, line: Line, { author, focused }: Surroundings): void {
  if (line.kind === "day") return setText(element, line.label);
  const { id, text, fate, first, last, edited, deleted, pending } = line;
  const step = focused !== null && focused.message.id === id ? focused.step : null;
  const signature = JSON.stringify([id, text, fate, first, last, edited, deleted, pending?.failure, author, step]);
  if (drawn.get(element) === signature) return;
  drawn.set(element, signature);
  const hadFocus = element.contains(document.activeElement);
  draw(chat, element, line, author, step);
  // What is drawn anew loses the focus; it goes to the first thing that can be done next.
  const next = element.querySelector<HTMLElement>(".message-actions button") ?? element.querySelector<HTMLElement>(".message-more");
  if (hadFocus) next?.focus();
}

function draw(chat: Chat, element: HTMLElement, bubble: Bubble, author: string, step: Focused["step"] | null): void {
  element.className = "message";
  element.classList.add(bubble.mine ? "is-mine" : "is-theirs");
  element.classList.toggle("is-first", bubble.first);
  element.classList.toggle("is-last", bubble.last);
  element.classList.toggle("is-deleted", bubble.deleted);
  element.classList.toggle("is-focused", step !== null);
  if (bubble.id !== null) element.dataset["id"] = bubble.id;
  if (bubble.fate !== null) element.dataset["fate"] = bubble.fate;
  else delete element.dataset["fate"];
  const text = h("p", { class: "text", dir: "auto" }, bubble.deleted ? deletedText(bubble.mine) : bubble.text);
  const box = h("div", { class: "bubble" }, hidden(`${bubble.mine ? "You" : author}: `), text, meta(bubble));
  const own = bubble.mine && !bubble.deleted ? bubble.message : null;
  element.replaceChildren(own === null ? box : messageActions(chat, own, step, box));
  if (bubble.fate === "failed") element.append(failure(chat, bubble));
}

function meta(bubble: Bubble): HTMLElement {
  const time = h("time", { datetime: new Date(bubble.time).toISOString() }, timeOfDay(bubble.time));
  const line = h("span", { class: "meta" });
  if (bubble.edited) line.append(h("span", {}, "edited"), hidden(", "));
  line.append(time);
  if (bubble.fate !== null) line.append(icon(fates[bubble.fate].icon), hidden(`, ${fates[bubble.fate].text}`));
  return line;
}

function deletedText(mine: boolean): string {
  return mine ? "You deleted this message" : "This message was deleted";
}

function failure(chat: Chat, { pending }: Bubble): HTMLElement {
  const act = (label: string, onclick: () => void) => h("button", { type: "button", class: "link", onclick }, label);
  if (pending?.failure == null) return h("span");
  const reason = h("span", {}, `Not sent. ${whyNotSent(pending.failure)}`);
  const again = act("Try again", () => chat.retry(pending));
  const away = act("Delete", () => chat.discard(pending));
  return h("div", { class: "failure", role: "alert" }, reason, again, away);
}
