import type { QueryResultRow } from 'pg';
import type { Fact } from '../../facts/fact.ts';
import { readFact } from '../fact-json.ts';

/** Something that happened and that people want to hear of. Never a password. */
export interface PolicyEvent {
  /** UUID. Receivers tell repeated deliveries by it. */
  readonly id: string;
  /** Counts up in the order in which events happened. */
  readonly number: string;
  /** One of EVENT_TYPES, or one that a newer release knows. */
  readonly type: string;
  readonly policy: string;
  readonly rotation: string | null;
  readonly at: Date;
  readonly fact: Fact;
}

/** An event as its columns have it. */
export interface EventRow extends QueryResultRow, Omit<PolicyEvent, 'fact'> {
  readonly fact: unknown;
}

/** What is read of `keyturn.policy_event AS event`. */
export const EVENT_COLUMNS = `event.id, event.number::pg_catalog.text AS number, event.type, event.policy,
  event.rotation, event.at, event.fact`;

export function toEvent({ fact, ...rest }: EventRow): PolicyEvent {
  // The column is never null.
  return { ...rest, fact: readFact(fact, '') as Fact };
}
