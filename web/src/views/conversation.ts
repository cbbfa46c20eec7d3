// The main part: the open conversation with its heading, or a word on how to open one.
import type { Chat } from "../chat";
import { h, setText } from "../dom";
import { lastSeen } from "../format";
import { icon } from "../icons";
import { type State, conversationWith } from "../state/model";
import type { User } from "../types";
import { avatar } from "./avatar";
import { composer } from "./composer";
import { messageList } from "./messages";
import type { View } from "./sidebar";
import { blockNote, talkMenu } from "./talk-menu";

/** The main part; `focus` takes one to where one goes on. */
export interface ConversationView extends View {
  focus(): void;
}

/** Makes the main part; `close` goes back to the list. */
export function conversation(chat: Chat, close: () => void): ConversationView {
  const back = h("button", { type: "button", class: "icon-button back", "aria-label": "Back to the list", onclick: close }, icon("back"));
  const picture = avatar();
  const name = h("h2", { class: "talk-name", tabindex: "-1", dir: "auto" });
  const presence = h("p", { class: "talk-presence" });
  const menu = talkMenu(chat);
  const note = blockNote(chat);
  const head = h("header", { class: "talk-head" }, back, picture.element, h("div", { class: "talk-who" }, name, presence), menu.element);
  const log = messageList(chat);
  const writer = composer(chat);
  const talk = h("section", { class: "talk" }, head, log.element, note.element, writer.element);
  const welcome = h("div", { class: "welcome" }, icon("speech"), h("h2", {}, "Your messages"), h("p", {}, "Choose a conversation, or find somebody to write to."));
  const element = h("main", { class: "main" }, talk, welcome);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && chat.store.state.open !== null) close();
  });

  const update = (state: State) => {
    const user = state.open === null ? undefined : state.users[state.open];
    talk.hidden = user === undefined;
    welcome.hidden = user !== undefined;
    if (user !== undefined) {
      const { typing } = conversationWith(state, user.id);
      picture.update(user);
      setText(name, user.username);
      setText(presence, presenceText(state, user, typing));
      presence.classList.toggle("is-typing", typing);
    }
    menu.update(state);
    note.update(state);
    log.update(state);
    writer.update(state);
  };
  // On a touch screen focus in the composer would bring up the keyboard over what one came to read.
  const focus = () => (matchMedia("(pointer: coarse)").matches ? name.focus() : writer.focus());
  return { element, update, focus };
}

function presenceText({ connection }: State, user: User, typing: boolean): string {
  if (typing) return "typing…";
  // Without a line nobody's presence is known.
  if (connection.status !== "online") return "Connecting…";
  return user.isOnline ? "Online" : lastSeen(user.lastSeen, Date.now());
}
