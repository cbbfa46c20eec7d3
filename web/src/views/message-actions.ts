// What can be done with a stored message of one's own: edit it, or delete it for both.
import type { Chat } from "../chat";
import { h } from "../dom";
import { icon } from "../icons";
import type { Focused } from "../state/model";
import type { Message } from "../types";

/** Lays the button, and the actions once it is pressed, around a bubble. */
export function messageActions(chat: Chat, message: Message, step: Focused["step"] | null, bubble: HTMLElement): HTMLElement {
  const isOpen = step === "actions" || step === "confirm";
  const more = h("button", {
    type: "button",
    class: "message-more",
    "aria-label": `Actions for your message: ${brief(message.message)}`,
    "aria-expanded": String(isOpen),
    onclick: () => chat.focus(isOpen ? null : { message, step: "actions" }),
  }, icon("more"));
  const row = h("div", { class: "message-row" }, more, bubble);
  const element = h("div", { class: "message-frame" }, row);
  if (isOpen) element.append(step === "confirm" ? confirmation(chat, message) : choices(chat, message));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    chat.focus(null);
  });
  return element;
}

function choices(chat: Chat, message: Message): HTMLElement {
  return h("div", { class: "message-actions", role: "group", "aria-label": "Message actions" },
    button("Edit", () => chat.focus({ message, step: "edit" })),
    button("Delete", () => chat.focus({ message, step: "confirm" }), "is-danger"));
}

function confirmation(chat: Chat, message: Message): HTMLElement {
  return h("div", { class: "message-actions", role: "group", "aria-label": "Delete this message for both of you?" },
    button("Delete for both", () => chat.remove(message), "is-danger"),
    button("Keep", () => chat.focus(null)));
}

function button(label: string, onclick: () => void, more = ""): HTMLElement {
  return h("button", { type: "button", class: `chip ${more}`, onclick }, label);
}

function brief(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
