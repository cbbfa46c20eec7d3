// One row of the side list: a conversation or a person.
import { h, hidden, setAttribute, setText } from "../dom";
import { briefly, lastSeen } from "../format";
import type { Conversation } from "../state/model";
import { lastSaid, lastTime } from "../state/select";
import type { User } from "../types";
import { avatar } from "./avatar";

/** What a row shows. */
export interface Entry {
  user: User;
  /** Null for a person to whom nothing was said yet. */
  conversation: Conversation | null;
  isOpen: boolean;
}

interface Parts {
  user: User;
  update(entry: Entry): void;
}

const partsOf = new WeakMap<HTMLElement, Parts>();

/** Makes a row that opens its conversation. */
export function createEntry(open: (user: User) => void): HTMLElement {
  const picture = avatar();
  const name = h("span", { class: "entry-name", dir: "auto" });
  const time = h("time", { class: "entry-time" });
  const preview = h("span", { class: "entry-preview", dir: "auto" });
  const count = h("span", { "aria-hidden": "true" });
  const countText = hidden();
  const badge = h("span", { class: "badge" }, count, countText);
  const head = h("span", { class: "entry-line" }, name, hidden(". "), time);
  const body = h("span", { class: "entry-line" }, preview, badge);
  const button = h("button", { type: "button", class: "entry" }, picture.element, h("span", { class: "entry-text" }, head, body));
  const item = h("li", {}, button);

  const update = ({ user, conversation, isOpen }: Entry) => {
    picture.update(user);
    setText(name, user.username);
    setAttribute(button, "aria-current", isOpen ? "true" : null);
    const at = conversation === null ? 0 : lastTime(conversation);
    setText(time, at === 0 ? "" : briefly(at, Date.now()));
    setText(preview, conversation === null ? presenceText(user) : previewText(conversation, user));
    preview.classList.toggle("is-typing", conversation?.typing === true);
    const unread = conversation?.unread ?? 0;
    badge.hidden = unread === 0;
    setText(count, unread > 99 ? "99+" : String(unread));
    setText(countText, unread > 0 ? `, ${unread} unread` : "");
    item.classList.toggle("is-unread", unread > 0);
  };
  const parts: Parts = { user: { id: "", username: "", isOnline: false, lastSeen: null }, update };
  button.addEventListener("click", () => open(parts.user));
  partsOf.set(item, parts);
  return item;
}

/** Brings a row up to date. */
export function updateEntry(item: HTMLElement, entry: Entry): void {
  const parts = partsOf.get(item);
  if (parts === undefined) return;
  parts.user = entry.user;
  item.dataset["user"] = entry.user.id;
  parts.update(entry);
}

function previewText(conversation: Conversation, user: User): string {
  if (conversation.typing) return "typing…";
  const said = lastSaid(conversation);
  if (said === null) return presenceText(user);
  const text = said.text.slice(0, 200).replace(/\s+/gu, " ").trim();
  return said.senderId === user.id ? text : `You: ${text}`;
}

function presenceText(user: User): string {
  return user.isOnline ? "Online" : lastSeen(user.lastSeen, Date.now());
}
