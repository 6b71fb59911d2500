// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Windows that follow each other without a gap may fill the whole week: then there is no end to be found. */
const JOINED_MAX = 14;

const timeOfDay = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, "must be a time like 22:00");

/** A window of time that comes back every week. */
export const windowFields = z.strictObject({
  days: z
    .array(z.enum(DAYS))
    .min(1)
    .default([...DAYS])
    .describe("Days on which it begins. Default: every day."),
  from: timeOfDay.describe("When it begins, like 22:00."),
  to: timeOfDay.describe("When it ends; a time that is not later than `from` is on the next day."),
  time_zone: z
    .string()
    .refine(isTimeZone, { error: "must be a time zone like Europe/Berlin or UTC" })
    .default("UTC")
    .describe("Time zone of both, like Europe/Berlin."),
});

export type WeeklyWindow = z.output<typeof windowFields>;

/** Until when one of the windows lasts, milliseconds since 1970; null when none does. Windows that touch are one. */
export function endOfWindowMs(windows: readonly WeeklyWindow[], nowMs: number): number | null {
  let endMs: number | null = null;
  for (let joined = 0; joined < JOINED_MAX; joined++) {
    const ends = windows.flatMap((window) => endOf(window, endMs ?? nowMs) ?? []);
    if (ends.length === 0) break;
    endMs = Math.max(...ends);
  }
  return endMs;
}

/** When the window that holds the moment ends; null when it does not hold it. */
function endOf({ days, from, to, time_zone }: WeeklyWindow, atMs: number): number | null {
  const localMs = atMs + offsetOf(atMs, time_zone);
  const minute = Math.floor((localMs % DAY_MS) / MINUTE_MS);
  const today = new Date(localMs).getUTCDay();
  const begins = (day: number): boolean => days.includes(DAYS[(day + 7) % 7] ?? "sun");
  const begin = minuteOf(from);
  const end = minuteOf(to);
  const isOvernight = end <= begin;
  const isFromToday = begins(today) && minute >= begin && (isOvernight || minute < end);
  const isFromYesterday = isOvernight && begins(today - 1) && minute < end;
  if (!isFromToday && !isFromYesterday) return null;
  const midnightMs = localMs - (localMs % DAY_MS) + (isFromToday && isOvernight ? DAY_MS : 0);
  const endLocalMs = midnightMs + end * MINUTE_MS;
  // The zone's offset may be another one by then.
  return endLocalMs - offsetOf(endLocalMs - offsetOf(atMs, time_zone), time_zone);
}

function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(":").map(Number);
  return hours * 60 + minutes;
}

/** How far the zone's clock is ahead of UTC at a moment. */
function offsetOf(atMs: number, timeZone: string): number {
  if (timeZone === "UTC") return 0;
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(atMs);
  const field = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const localMs = Date.UTC(
    field("year"),
    field("month") - 1,
    field("day"),
    field("hour"),
    field("minute"),
  );
  return localMs - Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
