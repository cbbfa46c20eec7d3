// What a refusal means, said plainly.
import type { WireError } from "./types";

const BLOCKED = "One of you has blocked the other. Nothing passes between you until that is taken back.";

/** Why a message was not sent. */
export function whyNotSent(error: WireError): string {
  return error.code === "forbidden" ? BLOCKED : error.message;
}

/** Why something that was asked for did not happen. */
export function explain(what: "edit" | "delete" | "block" | "unblock", error: Pick<WireError, "code" | "message">): string {
  const not = { edit: "The message was not changed.", delete: "The message was not deleted.", block: "Not blocked.", unblock: "The block still stands." }[what];
  if (what === "edit" && error.code === "forbidden") {
    return `${not} It is too old to be changed, or one of you has blocked the other.`;
  }
  if (error.code === "not_found" && (what === "edit" || what === "delete")) return `${not} It has been deleted already.`;
  return `${not} ${error.message}`;
}
