// The scrolling part of a conversation. It stays at the newest message while that is in view, keeps
// its place otherwise, and asks for earlier messages as one comes near the top.
import type { Chat } from "../chat";
import { h, keyedList, setText } from "../dom";
import { icon } from "../icons";
import { type Line, linesOf } from "../state/lines";
import { type Conversation, type State, conversationWith } from "../state/model";
import { createLine, updateLine } from "./bubble";
import type { View } from "./sidebar";

/** This near the end counts as being there, in CSS pixels. */
const NEAR_END = 60;
/** This near the top, earlier messages are fetched. */
const NEAR_TOP = 400;

/** Makes the message list of whichever conversation is open. */
export function messageList(chat: Chat): View {
  let author = "";
  let shownFor: string | null = null;
  let atEnd = true;

  const earlier = h("button", { type: "button", class: "more", onclick: () => loadEarlier() }, "Earlier messages");
  const status = h("p", { class: "log-status", role: "status" });
  const retry = h("button", { type: "button", class: "link", onclick: () => reload() }, "Try again");
  const list = h("ol", { class: "messages", role: "list" });
  const dots = h("div", { class: "typing", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  const scroller = h("div", { class: "log", role: "region", tabindex: "0" }, earlier, status, retry, list, dots);
  const jump = h("button", { type: "button", class: "jump", "aria-label": "Jump to the newest message", onclick: () => toEnd() }, icon("down"));
  const element = h("div", { class: "log-frame" }, scroller, jump);
  const render = keyedList<Line>(list, {
    key: (line) => line.key,
    create: createLine,
    update: (item, line) => updateLine(chat, item, line, { author, focused: chat.store.state.focused }),
  });

  const loadEarlier = () => shownFor !== null && chat.earlier(shownFor);
  const reload = () => {
    if (shownFor === null) return;
    chat.newest(shownFor);
    chat.earlier(shownFor);
  };
  const toEnd = () => {
    scroller.scrollTop = scroller.scrollHeight;
    look();
  };
  /** Takes note of where the reader is. */
  const look = () => {
    const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    atEnd = left < NEAR_END;
    jump.hidden = atEnd;
    chat.seesNewest(atEnd);
    const { failure } = current();
    if (scroller.scrollTop < NEAR_TOP && failure === null) loadEarlier();
  };
  const current = (): Conversation => conversationWith(chat.store.state, shownFor ?? "");
  scroller.addEventListener("scroll", look, { passive: true });
  // A window that shrinks (a phone's keyboard) or a message that grows must not push the end out of view.
  const resized = new ResizeObserver(() => atEnd && toEnd());
  resized.observe(scroller);
  resized.observe(list);

  const update = (state: State) => {
    if (state.open === null) {
      shownFor = null;
      return;
    }
    const isOther = state.open !== shownFor;
    shownFor = state.open;
    author = state.users[state.open]?.username ?? "";
    const conversation = current();
    scroller.setAttribute("aria-label", `Messages with ${author}`);
    scroller.setAttribute("aria-busy", String(conversation.history === "loading" || conversation.loadingEarlier));
    earlier.hidden = !conversation.loaded || !conversation.hasEarlier;
    earlier.disabled = conversation.loadingEarlier;
    setText(status, statusText(conversation));
    status.hidden = status.textContent === "";
    retry.hidden = conversation.failure === null;
    dots.hidden = !conversation.typing;

    const ownBefore = list.querySelectorAll("li:not([data-id]).is-mine").length;
    const hold = isOther ? null : anchor(scroller, list);
    render(linesOf(conversation, state.me.id, Date.now()));
    const wrote = list.querySelectorAll("li:not([data-id]).is-mine").length > ownBefore;
    if (isOther || atEnd || wrote) toEnd();
    else hold?.();
    look();
  };
  return { element, update };
}

/** Remembers which message is at the top of the view; the answer brings it back to the same height. */
function anchor(scroller: HTMLElement, list: HTMLElement): () => void {
  const top = scroller.getBoundingClientRect().top;
  const items = [...list.children].filter((item) => !item.classList.contains("day"));
  const first = items.find((item) => item.getBoundingClientRect().bottom > top);
  const before = first?.getBoundingClientRect().top ?? 0;
  return () => {
    if (first?.isConnected) scroller.scrollTop += first.getBoundingClientRect().top - before;
  };
}

function statusText({ history, loaded, messages, pending, failure, loadingEarlier }: Conversation): string {
  if (failure !== null) return failure;
  if (loadingEarlier) return "Loading earlier messages…";
  if ((loaded && messages.length > 0) || pending.length > 0) return "";
  return history === "fresh" ? "No messages yet. Say hello!" : "Loading…";
}
