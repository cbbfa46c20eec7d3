// Making and updating elements. Text only ever becomes text nodes: nothing here parses markup.

type Value = string | number | boolean | null | undefined | ((event: never) => void);

/** An element with attributes, listeners (`onclick: …`) and children; strings become text. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else setAttribute(element, name, value);
  }
  element.append(...children);
  return element;
}

/** Sets an attribute; `true` sets it empty, `false`, null and undefined take it away. */
export function setAttribute(element: Element, name: string, value: string | number | boolean | null | undefined): void {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Replaces the text of an element if it differs, so that live regions speak only of changes. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** How the items of a list become elements. */
export interface ListPlan<T> {
  key(item: T): string;
  create(item: T): HTMLElement;
  update(element: HTMLElement, item: T): void;
}

/** Keeps the children of `parent` in step with a list of items, reusing elements by key. */
export function keyedList<T>(parent: HTMLElement, plan: ListPlan<T>): (items: readonly T[]) => void {
  let elements = new Map<string, HTMLElement>();
  return (items) => {
    const focused = document.activeElement;
    const kept = new Map<string, HTMLElement>();
    for (const item of items) {
      const key = plan.key(item);
      const element = elements.get(key) ?? plan.create(item);
      plan.update(element, item);
      kept.set(key, element);
    }
    for (const [key, element] of elements) if (!kept.has(key)) element.remove();
    let place = parent.firstElementChild;
    for (const element of kept.values()) {
      if (place === element) place = place.nextElementSibling;
      else parent.insertBefore(element, place);
    }
    elements = kept;
    // Moving an element takes the focus from it.
    if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused)) focused.focus();
  };
}

/** A text for screen readers only. */
export function hidden(text = ""): HTMLSpanElement {
  return h("span", { class: "visually-hidden" }, text);
}
