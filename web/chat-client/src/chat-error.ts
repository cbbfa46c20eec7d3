// A request that was not granted.
import type { WireError } from "./wire.js";

/** The server's refusal; or, by the helper itself, `offline` (no line), `silent` (no answer) and `queue_full`. */
export class ChatError extends Error {
  readonly code: string;
  readonly details: string | undefined;

  constructor(error: WireError) {
    super(error.message);
    this.name = "ChatError";
    this.code = error.code;
    this.details = error.details;
  }
}

export const OFFLINE: WireError = { code: "offline", message: "There is no connection to the server." };
export const SILENT: WireError = { code: "silent", message: "The server did not answer." };
