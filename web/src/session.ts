// Who is logged in, kept in this browser across reloads and shared by its tabs.
import type { Grant } from "./types";

/** A login. */
export interface Session {
  token: string;
  userId: string;
  username: string;
}

const KEY = "chat.session";

/** The login of this browser, if there is one. */
export function loadSession(): Session | null {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return isSession(stored) ? stored : null;
  } catch {
    return null;
  }
}

/** Remembers a login. A browser that refuses storage keeps it until the page is left. */
export function saveSession(grant: Grant): Session {
  const session = { token: grant.token, userId: grant.user.id, username: grant.user.username };
  try {
    localStorage.setItem(KEY, JSON.stringify(session));
  } catch {
    // Private windows may refuse: the login then lasts as long as the page.
  }
  return session;
}

/** Forgets a login, unless another tab has replaced it with a newer one. */
export function forgetSession(token: string): void {
  // A login that can be read can be removed: storage that is refused has none.
  if (loadSession()?.token === token) localStorage.removeItem(KEY);
}

/** Calls back when another tab logs in or out. */
export function watchSession(changed: (session: Session | null) => void): void {
  window.addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) changed(loadSession());
  });
}

function isSession(value: unknown): value is Session {
  if (typeof value !== "object" || value === null) return false;
  const { token, userId, username } = value as Partial<Session>;
  return [token, userId, username].every((field) => typeof field === "string" && field !== "");
}
