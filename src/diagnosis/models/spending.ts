/**
 * What profiles have used up in a day, by namespace: the text that outlives a process, and how such are added up. Pure.
 * A day is one by UTC.
 */
import { z } from 'zod';

/** Of one namespace, by one profile; less than nothing where it is what is still to be taken off. */
export interface Spent {
  readonly tokens: number;
  readonly microDollars: number;
}

/** Under the name of the profile, then of the namespace. */
export type Spending = ReadonlyMap<string, ReadonlyMap<string, Spent>>;

const DAY_MS = 86_400_000;

const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const record = z.object({
  day: z.iso.date(),
  write: z.string().max(64).optional(),
  profiles: z.record(z.string(), z.record(z.string(), z.object({ tokens: count, microDollars: count }))),
});

/** The day that a moment is in. @param now milliseconds since the epoch */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** What is stored of a day. */
export interface DayRecord {
  readonly spending: Spending;
  /** Which write has put it there, where the record says so. */
  readonly write?: string | undefined;
}

/** When the next day begins, to the minute. @param now milliseconds since the epoch */
export function nextDay(now: number): string {
  const next = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
  return new Date(next).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}

/**
 * What such a text says of a day: nothing where it is of another one, or where there is none.
 * @throws where it is something else; the message does not quote it
 */
export function parseSpending(text: string | undefined, day: string): DayRecord {
  if (text === undefined || text.trim() === '') return { spending: new Map() };
  const { data } = record.safeParse(json(text));
  if (data === undefined) throw new Error('it holds no record of what profiles have used');
  const { profiles, write } = data;
  if (data.day !== day) return { spending: new Map() };
  const spending = new Map(
    Object.entries(profiles).map(([profile, accounts]) => [profile, new Map(Object.entries(accounts))]),
  );
  return { spending, write };
}

/** The text, with the name of the write that puts it there. Whoever has used nothing is left out. */
export function spendingText(spending: Spending, day: string, write: string): string {
  const profiles = [...spending].map(([profile, accounts]): [string, Record<string, Spent>] => {
    const used = [...accounts].map(([name, { microDollars, tokens }]): [string, Spent] => [
      name,
      { tokens: Math.max(0, tokens), microDollars: Math.max(0, microDollars) },
    ]);
    return [profile, Object.fromEntries(used.filter(([, spent]) => spent.tokens + spent.microDollars > 0))];
  });
  const inUse = profiles.filter(([, accounts]) => Object.keys(accounts).length > 0);
  return JSON.stringify({ day, write, profiles: Object.fromEntries(inUse) });
}

/** Both together. */
export function added(spending: Spending, more: Spending): Spending {
  const sum = new Map([...spending].map(([profile, accounts]) => [profile, new Map(accounts)]));
  for (const [profile, accounts] of more) {
    const into = sum.get(profile) ?? new Map<string, Spent>();
    sum.set(profile, into);
    for (const [name, spent] of accounts) {
      const before = into.get(name);
      into.set(name, {
        tokens: (before?.tokens ?? 0) + spent.tokens,
        microDollars: (before?.microDollars ?? 0) + spent.microDollars,
      });
    }
  }
  return sum;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
