// The REST half of the server's interface.
import { isWireError } from "../chat-client/src/index";
import type { ConversationPage, Grant, UserPage, WireError } from "./types";

/** A request that the server refused, or that never reached it (code `network`). */
export class ApiError extends Error {
  readonly code: string;
  readonly details: string | undefined;

  constructor(error: WireError) {
    super(error.message);
    this.code = error.code;
    this.details = error.details;
  }
}

/** What a login form holds; an `@` tells an address from a username. */
export interface Credentials {
  login: string;
  password: string;
}

/** Makes an account. */
export function register(username: string, email: string, password: string): Promise<Grant> {
  return request("/api/auth/register", { body: { username, email, password } });
}

/** Asks for a token. */
export function logIn({ login, password }: Credentials): Promise<Grant> {
  const who = login.includes("@") ? { email: login } : { username: login };
  return request("/api/auth/login", { body: { ...who, password } });
}

/** The reads of somebody who is logged in. */
export class Api {
  constructor(private readonly token: string) {}

  /** A page of the directory: people whose name begins with `q`. */
  users(q: string, after: string | null): Promise<UserPage> {
    return this.get("/api/users", { q: q || null, after });
  }

  /** A page of the conversation list. */
  conversations(after: string | null): Promise<ConversationPage> {
    return this.get("/api/chat/conversations", { after });
  }

  private get<T>(path: string, query: Record<string, string | null>): Promise<T> {
    const set = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== null);
    const search = new URLSearchParams(set).toString();
    return request(search ? `${path}?${search}` : path, { token: this.token });
  }
}

const PATIENCE_MS = 20_000;

async function request<T>(path: string, options: { body?: unknown; token?: string }): Promise<T> {
  const headers: Record<string, string> = {};
  if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
  if (options.body !== undefined) headers["content-type"] = "application/json";
  const init: RequestInit = { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
  if (options.body !== undefined) Object.assign(init, { method: "POST", body: JSON.stringify(options.body) });

  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError({ code: "network", message: "The server can't be reached." });
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer as T;
  throw new ApiError(isWireError(answer) ? answer : unexpected(response.status));
}

function unexpected(status: number): WireError {
  return { code: "unexpected", message: `The server gave an unexpected answer (${status}).` };
}
