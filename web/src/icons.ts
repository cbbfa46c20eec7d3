// The page's few drawings.

const SVG = "http://www.w3.org/2000/svg";

const paths = {
  back: ["M15 5l-7 7 7 7"],
  clock: ["M12 7v5l3 2", "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16"],
  down: ["M6 10l6 6 6-6"],
  leave: ["M14 5H6v14h8", "M11 12h9", "M17 8.5l3.5 3.5-3.5 3.5"],
  delivered: ["M2.5 12.5l4.5 4.5 8.5-9.5", "M11.5 16.5l.5.5 8.5-9.5"],
  more: ["M12 6v.1", "M12 12v.1", "M12 18v.1"],
  read: ["M2.5 12.5l4.5 4.5 8.5-9.5", "M11.5 16.5l.5.5 8.5-9.5"],
  search: ["M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12", "M15 15l4.5 4.5"],
  send: ["M4.5 12h14", "M12.5 5.5l6.5 6.5-6.5 6.5"],
  sent: ["M5 12.5l4.5 4.5 9-9.5"],
  speech: ["M6 5h12a2.5 2.5 0 0 1 2.5 2.5v6a2.5 2.5 0 0 1-2.5 2.5h-5l-5 4v-4H6a2.5 2.5 0 0 1-2.5-2.5v-6A2.5 2.5 0 0 1 6 5z"],
  warning: ["M12 7.5v5.5", "M12 16.2v.3", "M12 3.5l9 16H3z"],
} satisfies Record<string, string[]>;

/** The name of a drawing. */
export type IconName = keyof typeof paths;

/** A drawing, hidden from screen readers: the text beside it says what it means. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  for (const d of paths[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
