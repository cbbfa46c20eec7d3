// The page of somebody who is logged in: side list and conversation, address and title, announcements.
import type { Chat } from "../chat";
import { h } from "../dom";
import { Router } from "../router";
import type { State } from "../state/model";
import { unreadTotal } from "../state/select";
import type { Message } from "../types";
import { banner } from "./banner";
import { conversation } from "./conversation";
import { sidebar } from "./sidebar";

/** This many announcements stay in the page for screen readers to come back to. */
const ANNOUNCEMENTS = 20;
/** "5 min ago" and "Today" grow old without anything happening. */
const REDRAW_MS = 60_000;

/** Shows a chat in `root`; the returned function takes it away. */
export function showChat(root: HTMLElement, chat: Chat): () => void {
  const router = new Router((target) => {
    const before = chat.store.state.open;
    chat.open(target);
    update(chat.store.state);
    if (target !== null) talk.focus();
    else if (before !== null) focusEntry(side.element, before);
  });
  const side = sidebar(chat, (user) => router.open(user));
  const talk = conversation(chat, () => router.close());
  const strip = banner(chat);
  const spoken = h("div", { class: "visually-hidden", role: "log", "aria-live": "polite", "aria-label": "New messages" });
  const page = h("div", { class: "chat" }, strip.element, side.element, talk.element, spoken);

  const update = (state: State) => {
    page.dataset["pane"] = state.open === null ? "list" : "talk";
    page.dataset["connection"] = state.connection.status;
    const unread = unreadTotal(state);
    document.title = unread > 0 ? `(${unread}) Chat` : "Chat";
    strip.update(state);
    side.update(state);
    talk.update(state);
  };
  chat.incoming = (message) => announce(spoken, chat.store.state, message);
  const unwatch = chat.store.watch(update);
  const ageing = setInterval(() => update(chat.store.state), REDRAW_MS);
  const wake = () => document.visibilityState === "visible" && chat.wake();
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);

  root.replaceChildren(page);
  update(chat.store.state);
  const unroute = router.start();
  return () => {
    unwatch();
    unroute();
    clearInterval(ageing);
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("online", wake);
    document.title = "Chat";
  };
}

function announce(log: HTMLElement, state: State, message: Message): void {
  const author = state.users[message.senderId]?.username ?? "Somebody";
  log.append(h("p", {}, `${author}: ${message.message}`));
  while (log.childElementCount > ANNOUNCEMENTS) log.firstElementChild?.remove();
}

function focusEntry(side: HTMLElement, userId: string): void {
  side.querySelector<HTMLElement>(`[data-user="${CSS.escape(userId)}"] button`)?.focus();
}
