// What the chat takes from the browser: a socket and timers.
import { io } from "socket.io-client";
import type { SocketLike } from "../chat-client/src/index";

/** A socket to the server that the page came from; it connects when told to. */
export function openSocket(token: string): SocketLike {
  return io({
    auth: { token },
    autoConnect: false,
    // Websocket at once, and long-polling where something on the way does not let it through.
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
  });
}

/** Calls back later; the returned function cancels that. */
export function later(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}
