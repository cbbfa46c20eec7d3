// Times, names and lengths as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat("en", { weekday: "long" });
const date = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

/** The time of day. */
export function timeOfDay(time: number): string {
  return clock.format(time);
}

/** A calendar day as a separator says it: Today, Yesterday, Monday, 3 May 2026. */
export function dayLabel(time: number, now: number): string {
  const days = daysBetween(time, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return days > 1 && days < 7 ? weekday.format(time) : date.format(time);
}

/** A time in little room: today's as time of day, others as a day. */
export function briefly(time: number, now: number): string {
  const days = daysBetween(time, now);
  if (days <= 0) return timeOfDay(time);
  if (days === 1) return "Yesterday";
  return days < 7 ? weekday.format(time).slice(0, 3) : shortDate.format(time);
}

/** A calendar day as a key. */
export function dayKey(time: number): string {
  const day = new Date(time);
  return `${day.getFullYear()}-${day.getMonth() + 1}-${day.getDate()}`;
}

/** When somebody who is away was here last. */
export function lastSeen(at: string | null, now: number): string {
  if (at === null) return "Offline";
  const minutes = Math.floor((now - Date.parse(at)) / 60_000);
  if (minutes < 1) return "Last seen just now";
  if (minutes < 60) return `Last seen ${minutes} min ago`;
  return `Last seen ${briefly(Date.parse(at), now)}`;
}

/** A hue for somebody's picture, the same every time. */
export function hueOf(id: string): number {
  // FNV-1a: ids made one after the other differ in a digit, their colours should differ in full.
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % 360;
}

/** The letter that stands in for somebody's picture. */
export function initial(username: string): string {
  return (Array.from(username)[0] ?? "?").toUpperCase();
}

/** The server's limit, in Unicode scalar values. */
export const MAX_MESSAGE_CHARS = 4_000;

/** How many characters the server counts. */
export function charCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Whether a text has anything to see: white space and invisible characters alone are refused. */
export function isBlank(text: string): boolean {
  return !/[^\p{White_Space}\u200B-\u200D\u2060\uFEFF]/u.test(text);
}

function daysBetween(time: number, now: number): number {
  const midnight = (moment: number) => new Date(moment).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(time)) / 86_400_000);
}
