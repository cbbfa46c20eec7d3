// Which conversation is open, as the address bar and the back button have it: `#/chat/<user id>`.

/** Somebody whose conversation is to be shown; the name is known unless the address came from outside. */
export interface Target {
  id: string;
  username: string;
}

/** What a history entry remembers beside its address. */
interface Remembered {
  username?: string;
  /** The entry before this one is the list. */
  fromList?: boolean;
}

/** Keeps the address in step with the open conversation. */
export class Router {
  constructor(private readonly changed: (target: Target | null) => void) {}

  /** Listens to the back button and tells where the page begins; the returned function ends that. */
  start(): () => void {
    const tell = () => this.changed(this.current());
    window.addEventListener("popstate", tell);
    tell();
    return () => window.removeEventListener("popstate", tell);
  }

  /** Goes to a conversation. From the list this is a step that the back button takes back. */
  open(target: Target): void {
    const here = this.current();
    const path = `#/chat/${encodeURIComponent(target.id)}`;
    const fromList = here === null || remembered().fromList === true;
    const entry: Remembered = { username: target.username, fromList };
    if (here === null) history.pushState(entry, "", path);
    else history.replaceState(entry, "", path);
    this.changed(target);
  }

  /** Goes back to the list. */
  close(): void {
    if (remembered().fromList === true) return history.back();
    history.replaceState(null, "", "#/");
    this.changed(null);
  }

  private current(): Target | null {
    const id = /^#\/chat\/([0-9a-f]{24})$/i.exec(location.hash)?.[1]?.toLowerCase();
    return id === undefined ? null : { id, username: remembered().username ?? "Unknown" };
  }
}

function remembered(): Remembered {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null ? state : {};
}
