// The side list: who one is, the search field, conversations, people.
import type { Chat } from "../chat";
import { h, keyedList, setText } from "../dom";
import { icon } from "../icons";
import type { State } from "../state/model";
import { conversationEntries, people } from "../state/select";
import type { User } from "../types";
import { avatar } from "./avatar";
import { type Entry, createEntry, updateEntry } from "./entry";

/** A part of the page that is kept in step with the state. */
export interface View {
  element: HTMLElement;
  update(state: State): void;
}

/** People are drawn this many at a time, however many are online. */
const PEOPLE_STEP = 50;

/** Makes the side list; `open` is called with the person whose conversation is wanted. */
export function sidebar(chat: Chat, open: (user: User) => void): View {
  const mine = avatar();
  const myName = h("span", { class: "side-name" });
  const leave = h("button", { type: "button", class: "icon-button", title: "Log out", "aria-label": "Log out", onclick: () => chat.logOut() }, icon("leave"));
  const header = h("header", { class: "side-head" }, mine.element, h("h1", { class: "side-title" }, myName), leave);

  let shown = PEOPLE_STEP;
  const search = h("input", { type: "search", id: "search", placeholder: "Search people", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 32 });
  search.addEventListener("input", () => {
    shown = PEOPLE_STEP;
    chat.search(search.value);
  });
  const field = h("div", { class: "search", role: "search" }, h("label", { for: "search", class: "visually-hidden" }, "Search people"), icon("search"), search);

  const chats = section("Chats", open, () => chat.moreConversations());
  const others = section("People", open, () => {
    shown += PEOPLE_STEP;
    chat.morePeople();
  });
  const hint = h("p", { class: "side-hint", role: "status" });
  const lists = h("div", { class: "side-lists" }, chats.element, others.element, hint);
  lists.addEventListener("keydown", walk);
  const element = h("nav", { class: "side", "aria-label": "Conversations and people" }, header, field, lists);

  const update = (state: State) => {
    mine.update(state.me);
    setText(myName, state.me.username);
    const isOpen = (user: User) => user.id === state.open;
    const conversations = conversationEntries(state);
    chats.update(conversations.map((entry) => ({ ...entry, isOpen: isOpen(entry.user) })), state.moreConversations !== null);
    const all = people(state);
    const some = all.slice(0, shown).map((user) => ({ user, conversation: null, isOpen: isOpen(user) }));
    others.update(some, all.length > shown || state.directory.next !== null);
    setText(hint, hintText(state, conversations.length + all.length));
  };
  return { element, update };
}

function hintText(state: State, count: number): string {
  if (count > 0) return "";
  if (!state.ready) return "Loading…";
  return state.query.trim() === "" ? "Nobody else is here yet." : "Nobody of that name.";
}

function section(title: string, open: (user: User) => void, more: () => void) {
  const heading = h("h2", { class: "side-heading" }, title);
  const list = h("ul", { class: "entries", role: "list" });
  const button = h("button", { type: "button", class: "more", onclick: more }, `More ${title.toLowerCase()}`);
  const element = h("section", { "aria-label": title }, heading, list, button);
  const render = keyedList<Entry>(list, { key: ({ user }) => user.id, create: () => createEntry(open), update: updateEntry });
  const update = (entries: Entry[], hasMore: boolean) => {
    render(entries);
    element.hidden = entries.length === 0;
    button.hidden = !hasMore;
  };
  return { element, update };
}

/** Arrow keys, Home and End walk through the rows; Tab leaves them in order as well. */
function walk(event: KeyboardEvent): void {
  const lists = event.currentTarget as HTMLElement;
  const rows = [...lists.querySelectorAll<HTMLElement>("button.entry")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const targets: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
  const target = targets[event.key];
  if (at < 0 || target === undefined) return;
  rows[Math.max(0, Math.min(target, rows.length - 1))]?.focus();
  event.preventDefault();
}
