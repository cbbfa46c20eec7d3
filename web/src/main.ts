// Where the page begins: the login view or the chat, and the way between them.
import { Chat, type Ending } from "./chat";
import { type Session, forgetSession, loadSession, saveSession, watchSession } from "./session";
import { showChat } from "./views/shell";
import { showWelcome } from "./views/welcome";

const root = document.getElementById("app");
if (root !== null) run(root);

function run(root: HTMLElement): void {
  let leave: (() => void) | null = null;

  const welcome = (reason: string | null) => {
    showWelcome(root, reason, (grant) => enter(saveSession(grant)));
  };
  const enter = (session: Session) => {
    const ended = (ending: Ending) => {
      takeDown();
      forgetSession(session.token);
      // What was open is nobody else's business.
      history.replaceState(null, "", "#/");
      welcome(ending.by === "server" ? `Please log in again. ${ending.message}` : null);
    };
    const chat = new Chat(session, ended);
    takeDown = showChat(root, chat);
    leave = () => chat.logOut();
    chat.start();
  };
  let takeDown = () => {};

  // Another tab logged in or out: this one follows.
  watchSession((session) => {
    leave?.();
    leave = null;
    if (session !== null) enter(session);
  });
  const session = loadSession();
  if (session === null) welcome(null);
  else enter(session);
}
