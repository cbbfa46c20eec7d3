// Where one writes: Enter sends, Shift+Enter begins a new line; each conversation keeps its draft.
import type { Chat } from "../chat";
import { h, hidden, setText } from "../dom";
import { MAX_MESSAGE_CHARS, charCount, isBlank } from "../format";
import { icon } from "../icons";
import type { State } from "../state/model";
import type { View } from "./sidebar";

/** From here on the number of characters left is shown. */
const COUNT_FROM = MAX_MESSAGE_CHARS - 200;

/** A composer, which can be given the focus. */
export interface Composer extends View {
  focus(): void;
}

/** Makes the composer of whichever conversation is open. */
export function composer(chat: Chat): Composer {
  const drafts = new Map<string, string>();
  let shownFor: string | null = null;
  /** The message that is edited; its text stands where the draft was. */
  let editing: string | null = null;

  const label = h("label", { for: "composer", class: "visually-hidden" });
  const help = hidden("Enter sends, Shift and Enter begin a new line.");
  help.id = "composer-help";
  const input = h("textarea", { id: "composer", rows: 1, placeholder: "Write a message", dir: "auto", enterkeyhint: "send", "aria-describedby": "composer-help composer-count" });
  const count = h("span", { class: "count", id: "composer-count", role: "status" });
  const button = h("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send"));
  const cancel = h("button", { type: "button", class: "link", onclick: () => chat.focus(null) }, "Cancel");
  const strip = h("div", { class: "editing", hidden: true }, h("span", { role: "status" }, "Editing your message"), cancel);
  const form = h("form", { class: "composer" }, strip, label, input, help, count, button);

  const fit = () => {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
    const left = MAX_MESSAGE_CHARS - charCount(input.value);
    setText(count, left > MAX_MESSAGE_CHARS - COUNT_FROM ? "" : left >= 0 ? `${left} left` : `${-left} too many`);
    count.classList.toggle("is-over", left < 0);
    button.disabled = left < 0 || isBlank(input.value);
  };
  const put = (text: string) => {
    input.value = text;
    fit();
  };
  input.addEventListener("input", () => {
    fit();
    if (editing === null) chat.typed(input.value === "");
  });
  input.addEventListener("keydown", (event) => {
    // While an input method composes, Enter belongs to it.
    if (event.key === "Escape" && editing !== null) {
      event.stopPropagation();
      return chat.focus(null);
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.disabled) return;
    if (editing === null) {
      chat.send(input.value);
      put("");
    } else chat.saveEdit(input.value);
    input.focus();
  });

  const update = (state: State) => {
    const focused = state.focused?.step === "edit" ? state.focused.message : null;
    if (state.open === shownFor && (focused?.id ?? null) === editing) return;
    // An edit that is left leaves no draft.
    if (shownFor !== null && editing === null) drafts.set(shownFor, input.value);
    const ended = editing !== null;
    editing = focused?.id ?? null;
    shownFor = state.open;
    strip.hidden = editing === null;
    button.setAttribute("aria-label", editing === null ? "Send" : "Save");
    if (shownFor === null) return;
    const name = state.users[shownFor]?.username ?? "";
    setText(label, editing === null ? `Message to ${name}` : `Edit your message to ${name}`);
    put(focused?.message ?? drafts.get(shownFor) ?? "");
    if (focused !== null || ended) input.focus();
  };
  const focus = () => {
    fit();
    input.focus();
  };
  return { element: form, update, focus };
}
