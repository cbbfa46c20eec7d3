// Somebody's picture: a letter on a colour, with a dot for being online.
import { h, hidden, setText } from "../dom";
import { hueOf, initial } from "../format";
import type { User } from "../types";

/** A picture that can be kept up to date. */
export interface Avatar {
  element: HTMLElement;
  update(user: Pick<User, "id" | "username"> & { isOnline?: boolean }): void;
}

/** Makes a picture. Screen readers hear "online" only. */
export function avatar(): Avatar {
  const letter = h("span", { "aria-hidden": "true" });
  const presence = hidden();
  const element = h("span", { class: "avatar" }, letter, presence);
  return {
    element,
    update(user) {
      setText(letter, initial(user.username));
      setText(presence, user.isOnline ? "online, " : "");
      element.style.setProperty("--hue", String(hueOf(user.id)));
      element.classList.toggle("is-online", user.isOnline === true);
    },
  };
}
