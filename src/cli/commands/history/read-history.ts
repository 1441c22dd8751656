import type { Action } from '../../../ledger/audit/actions.ts';
import type { Ledger } from '../../../ledger/ledger.ts';
import type { Event, Rotation } from '../../../ledger/rotation.ts';

/** How many rotations, or actions, are in memory at once. */
const PAGE = 500;
/**
 * The lines that a report is made of. A rotation that was retried for months has many others.
 */
const REPORTED: readonly Event['kind'][] = ['started', 'done', 'warning'];

export interface HistoryQuery {
  readonly policy?: string;
  readonly since?: Date;
}

export interface PastRotation {
  readonly rotation: Rotation;
  readonly events: readonly Event[];
}

type Past = { readonly at: Date } & (PastRotation | { readonly action: Action });

/**
 * All rotations and actions, oldest first. It reads page by page and holds no transaction, however
 * slowly its reader goes on.
 */
export async function* readHistory(ledger: Ledger, query: HistoryQuery): AsyncGenerator<Past> {
  const [rotations, actions] = [pastRotations(ledger, query), pastActions(ledger, query)];
  let [one, other] = [await rotations.next(), await actions.next()];
  while (!one.done || !other.done) {
    if (other.done || (!one.done && one.value.at <= other.value.at)) {
      if (!one.done) yield one.value;
      one = await rotations.next();
    } else {
      yield other.value;
      other = await actions.next();
    }
  }
}

async function* pastRotations(ledger: Ledger, query: HistoryQuery) {
  for (let after = '0'; ; ) {
    const page = await ledger.page({ ...query, after, limit: PAGE });
    const lines = await ledger.events(
      page.map(({ rotation }) => rotation.id),
      REPORTED,
    );
    const events = byRotation(lines);
    for (const { rotation } of page) {
      yield { at: rotation.requestedAt, rotation, events: events.get(rotation.id) ?? [] };
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.number;
  }
}

async function* pastActions(ledger: Ledger, query: HistoryQuery) {
  for (let after = '0'; ; ) {
    const page = await ledger.actions.page({ ...query, after, limit: PAGE });
    for (const action of page) yield { at: action.at, action };
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.id;
  }
}

function byRotation(events: readonly Event[]): ReadonlyMap<string, readonly Event[]> {
  const sorted = new Map<string, Event[]>();
  for (const event of events) {
    const own = sorted.get(event.rotation);
    if (own) own.push(event);
    else sorted.set(event.rotation, [event]);
  }
  return sorted;
}
