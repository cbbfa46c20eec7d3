// Logging in and making an account.
import { ApiError, logIn, register } from "../api";
import { h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import type { Grant } from "../types";

/** Which of the two forms is shown. */
type Mode = "login" | "register";

/** Shows the forms in `root`, with a word on why one is here; calls back with what the server grants. */
export function showWelcome(root: HTMLElement, reason: string | null, granted: (grant: Grant) => void): void {
  const note = h("p", { class: "note", role: "status" }, reason ?? "");
  note.hidden = reason === null;
  const place = h("div");
  const card = h("main", { class: "card" }, h("div", { class: "brand" }, icon("speech"), h("h1", {}, "Chat")), note, place);
  const show = (mode: Mode) => {
    const form = mode === "login" ? loginForm(granted, () => show("register")) : registerForm(granted, () => show("login"));
    place.replaceChildren(form);
    form.querySelector("input")?.focus();
  };
  root.replaceChildren(h("div", { class: "welcome-page" }, card));
  show("login");
}

function loginForm(granted: (grant: Grant) => void, other: () => void): HTMLFormElement {
  const login = field({ name: "login", label: "Username or email", autocomplete: "username", autocapitalize: "none" });
  const password = field({ name: "password", label: "Password", type: "password", autocomplete: "current-password" });
  const send = () => logIn({ login: login.input.value.trim(), password: password.input.value });
  return form({ title: "Log in", fields: [login, password], send, granted, other, question: "New here?", answer: "Create an account" });
}

function registerForm(granted: (grant: Grant) => void, other: () => void): HTMLFormElement {
  const username = field({ name: "username", label: "Username", autocomplete: "username", autocapitalize: "none", minlength: 3, maxlength: 32, hint: "3 to 32 letters, digits, dots, dashes or underscores" });
  const email = field({ name: "email", label: "Email", type: "email", autocomplete: "email", maxlength: 254 });
  const password = field({ name: "password", label: "Password", type: "password", autocomplete: "new-password", minlength: 8, hint: "At least 8 characters" });
  const send = () => register(username.input.value.trim(), email.input.value.trim(), password.input.value);
  return form({ title: "Create account", fields: [username, email, password], send, granted, other, question: "Been here before?", answer: "Log in" });
}

interface Field {
  element: HTMLElement;
  input: HTMLInputElement;
}

interface FieldPlan {
  name: string;
  label: string;
  hint?: string;
  [attribute: string]: string | number;
}

function field({ label, hint, ...attributes }: FieldPlan): Field {
  const id = `field-${attributes.name}`;
  const about = hint === undefined ? null : `${id}-hint`;
  const input = h("input", { id, type: "text", required: true, spellcheck: "false", "aria-describedby": about, ...attributes });
  const element = h("div", { class: "field" }, h("label", { for: id }, label), input);
  if (about !== null) element.append(h("p", { class: "hint", id: about }, hint ?? ""));
  return { element, input };
}

interface FormPlan {
  title: string;
  fields: Field[];
  send(): Promise<Grant>;
  granted(grant: Grant): void;
  question: string;
  answer: string;
  other(): void;
}

function form(plan: FormPlan): HTMLFormElement {
  const alert = h("p", { class: "form-error", role: "alert" });
  alert.hidden = true;
  const button = h("button", { type: "submit", class: "primary" }, plan.title);
  const other = h("button", { type: "button", class: "link", onclick: plan.other }, plan.answer);
  const fields = plan.fields.map(({ element }) => element);
  const element = h("form", { "aria-label": plan.title }, ...fields, alert, button, h("p", { class: "other" }, `${plan.question} `, other));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    alert.hidden = true;
    try {
      plan.granted(await plan.send());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(alert, explain(error));
      alert.hidden = false;
      blame(plan.fields, error);
    } finally {
      button.disabled = false;
    }
  });
  return element;
}

/** For wrong input the details say it all: the field and the rule. */
function explain({ code, message, details }: ApiError): string {
  if (details === undefined) return message;
  return code === "invalid_input" ? details.charAt(0).toUpperCase() + details.slice(1) : `${message} ${details}`;
}

/** Puts the focus on the field that the server names, else on the last one. */
function blame(fields: Field[], error: ApiError): void {
  const about = `${error.details ?? ""} ${error.message}`.toLowerCase();
  const named = fields.find(({ input }) => about.includes(input.name));
  for (const { input } of fields) setAttribute(input, "aria-invalid", input === named?.input ? "true" : null);
  (named ?? fields.at(-1))?.input.focus();
}
