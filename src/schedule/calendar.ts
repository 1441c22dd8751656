import type { Schedule } from '../config/policy.ts';
import { nextSlot, type SlotContext } from './next-slot.ts';

/** A policy's schedule, and what its slots depend on. */
export interface CalendarSource {
  readonly schedule: Schedule;
  readonly context: SlotContext;
}

/** One slot of a fleet's calendar; `slot` is milliseconds since the epoch. */
export interface CalendarEntry {
  readonly policy: string;
  readonly slot: number;
}

/**
 * More slots than this within a minute are a crowd: one worker runs eight rotations side by side.
 */
const CROWD = 8;
const MINUTE = 60_000;
// Enough to find every crowd that matters, and quick even for policies that rotate every second.
const LIMIT = 20_000;

/**
 * The first `count` slots of all policies after `after`, in order. Crowds are looked for up to one
 * minute after the last of them.
 */
export function calendarOf(
  sources: readonly CalendarSource[],
  after: number,
  count: number,
): { readonly entries: readonly CalendarEntry[]; readonly crowds: readonly CalendarEntry[][] } {
  const seen: CalendarEntry[] = [];
  for (const entry of inOrder(sources, after)) {
    const last = seen[count - 1];
    if (seen.length >= LIMIT + count || (last !== undefined && entry.slot - last.slot >= MINUTE)) break;
    seen.push(entry);
  }
  return { entries: seen.slice(0, count), crowds: crowdsIn(seen) };
}

function* inOrder(sources: readonly CalendarSource[], after: number): Generator<CalendarEntry> {
  const slotOf = ({ schedule, context }: CalendarSource, from: number) =>
    nextSlot(schedule, { ...context, after: from });
  // Sorted latest first, so that the next one is taken off the end.
  const heads = sources
    .flatMap((source) => {
      const slot = slotOf(source, after);
      return slot === undefined ? [] : [{ source, slot }];
    })
    .sort((a, b) => b.slot - a.slot);
  for (let head = heads.pop(); head; head = heads.pop()) {
    const { source, slot } = head;
    yield { policy: source.context.policy, slot };
    const next = slotOf(source, slot);
    if (next === undefined) continue;
    let [low, high] = [0, heads.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((heads[middle]?.slot ?? 0) > next) low = middle + 1;
      else high = middle;
    }
    heads.splice(low, 0, { source, slot: next });
  }
}

/** Groups of more than eight slots within a minute. */
function crowdsIn(entries: readonly CalendarEntry[]): CalendarEntry[][] {
  const crowds: CalendarEntry[][] = [];
  let group: CalendarEntry[] = [];
  for (const entry of entries) {
    if (group[0] && entry.slot - group[0].slot >= MINUTE) {
      crowds.push(group);
      group = [];
    }
    group.push(entry);
  }
  return [...crowds, group].filter(({ length }) => length > CROWD);
}
