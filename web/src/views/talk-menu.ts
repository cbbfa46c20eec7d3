// The menu of a conversation: blocking and unblocking, and the word that stands where a block does.
import type { Chat } from "../chat";
import { h, setText } from "../dom";
import { icon } from "../icons";
import { type State, conversationWith } from "../state/model";
import type { View } from "./sidebar";

/** The button in the heading, with what it opens. */
export function talkMenu(chat: Chat): View {
  const act = (change: (userId: string) => void) => () => {
    const { open } = chat.store.state;
    if (open !== null) change(open);
    toggle(false);
    button.focus();
  };
  const block = h("button", { type: "button", class: "menu-item is-danger", role: "menuitem", onclick: act((id) => chat.block(id)) });
  const unblock = h("button", { type: "button", class: "menu-item", role: "menuitem", onclick: act((id) => chat.unblock(id)) });
  const list = h("div", { class: "menu", role: "menu", "aria-label": "Conversation", hidden: true }, block, unblock);
  const button = h("button", { type: "button", class: "icon-button", "aria-label": "Conversation menu", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => toggle(list.hidden === true) }, icon("more"));
  const element = h("div", { class: "talk-menu" }, button, list);

  const items = () => [block, unblock].filter((item) => !item.hidden);
  const toggle = (open: boolean) => {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) items()[0]?.focus();
  };
  element.addEventListener("focusout", (event) => {
    if (!list.hidden && !element.contains(event.relatedTarget as Node | null)) toggle(false);
  });
  element.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      toggle(false);
      button.focus();
    } else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all[(at + all.length - 1) % all.length]?.focus();
    else return;
    event.preventDefault();
  });

  const update = (state: State) => {
    const name = state.users[state.open ?? ""]?.username ?? "";
    const { blocked, pending } = conversationWith(state, state.open ?? "");
    // A block that was made on another device meanwhile is not known here: a refusal says that there may be one.
    const mayBe = pending.some(({ failure }) => failure?.code === "forbidden");
    block.hidden = blocked;
    unblock.hidden = !blocked && !mayBe;
    setText(block, `Block ${name}`);
    setText(unblock, `Unblock ${name}`);
  };
  return { element, update };
}

/** Says what a block of one's own means, above the composer. */
export function blockNote(chat: Chat): View {
  const text = h("span");
  const lift = () => chat.store.state.open !== null && chat.unblock(chat.store.state.open);
  const strip = h("div", { class: "block-note" }, text, h("button", { type: "button", class: "link", onclick: lift }, "Unblock"));
  const element = h("div", { role: "status" }, strip);
  const update = (state: State) => {
    const name = state.users[state.open ?? ""]?.username ?? "";
    strip.hidden = !conversationWith(state, state.open ?? "").blocked;
    setText(text, strip.hidden ? "" : `You blocked ${name}. Neither of you can write to the other, or see whether the other is online.`);
  };
  return { element, update };
}
