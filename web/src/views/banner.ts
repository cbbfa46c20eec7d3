// What is to be said about the connection, and failures that belong to no place in particular.
import type { Chat } from "../chat";
import { h, setText } from "../dom";
import type { Connection, State } from "../state/model";
import type { View } from "./sidebar";

/** A first connection that takes no longer than this is not worth a word. */
const PATIENCE_MS = 1_500;

/** Makes the strip at the top of the page. */
export function banner(chat: Chat): View {
  const text = h("span");
  const again = h("button", { type: "button", class: "link", onclick: () => chat.reconnectNow() }, "Try now");
  const strip = h("div", { class: "banner" }, h("span", { class: "pulse", "aria-hidden": "true" }), text, again);
  const live = h("div", { role: "status" }, strip);
  const notice = h("span");
  const dismiss = h("button", { type: "button", class: "link", onclick: () => chat.dismissNotice() }, "Dismiss");
  const toast = h("div", { class: "banner is-error" }, notice, dismiss);
  const element = h("div", { class: "banners" }, live, h("div", { role: "alert" }, toast));

  const begun = performance.now();
  let wasOnline = false;
  setTimeout(() => update(chat.store.state), PATIENCE_MS);
  const update = ({ connection, notice: failure }: State) => {
    wasOnline ||= connection.status === "online";
    const early = !wasOnline && connection.status === "connecting" && performance.now() - begun < PATIENCE_MS;
    strip.hidden = connection.status === "online" || early;
    if (!strip.hidden) setText(text, words(connection));
    again.hidden = connection.status === "connecting";
    toast.hidden = failure === null;
    setText(notice, failure ?? "");
  };
  return { element, update };
}

function words(connection: Connection): string {
  switch (connection.status) {
    case "online":
      return "";
    case "connecting":
      return "Connecting…";
    case "lost":
      return "Connection lost. Trying again; what you write is sent when it is back.";
    case "refused":
      return `The server refused the connection: ${connection.reason}`;
  }
}
