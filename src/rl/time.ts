/*
 * The one rule for times: ISO 8601 with its zone, "Z" or an offset such as "+02:00". A time without a zone means another
 * moment on every machine, so it is refused and never guessed; so is a day that no calendar has.
 */

const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** What an error says was expected. */
export const TIME_FORM = "an ISO 8601 time with its zone, such as 2025-01-31T12:00:00.000Z";

/** Milliseconds since 1970 of a time as text; undefined where it is none, or has no zone. */
export function timeOf(text: unknown): number | undefined {
  const found = typeof text === "string" ? FORM.exec(text) : null;
  if (!found) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as Six;
  const [away, awayHours, awayMinutes] = [found[8] === "-" ? -1 : 1, Number(found[9] ?? 0), Number(found[10] ?? 0)];
  const inRange = hour < 24 && minute < 60 && second < 60 && awayHours < 24 && awayMinutes < 60;
  // Not by Date.UTC, which takes the years 0 to 99 for those of the twentieth century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // The 31st of April would come back as the 1st of May.
  if (!inRange || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const milliseconds = Number((found[7] ?? "").padEnd(3, "0").slice(0, 3));
  const minutes = hour * 60 + minute - away * (awayHours * 60 + awayMinutes);
  return date.getTime() + minutes * 60_000 + second * 1000 + milliseconds;
}

type Six = [number, number, number, number, number, number];
