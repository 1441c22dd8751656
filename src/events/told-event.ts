import { randomUUID } from 'node:crypto';
import { fact } from '../facts/fact.ts';
import type { PolicyEvent } from '../ledger/outbox/policy-event.ts';
import { tell } from '../messages/tell.ts';
import { strangersMessage } from '../visible.ts';

/** An event as receivers get it: for people a message, for machines a code and parameters. */
export interface ToldEvent {
  /** UUID. One that comes twice is the same event. */
  readonly id: string;
  readonly type: string;
  /** When it happened, in ISO 8601. */
  readonly timestamp: string;
  readonly data: {
    /** Null for a test. */
    readonly policy: string | null;
    readonly rotation: string | null;
    readonly code: string;
    readonly params: unknown;
    readonly message: string;
  };
}

export function toldEvent({ id, type, at, policy, rotation, fact }: PolicyEvent): ToldEvent {
  const { code, params } = fact;
  return {
    id,
    type,
    timestamp: at.toISOString(),
    data: { policy, rotation, code, params, message: tell(fact) },
  };
}

/** The type of what `keyturn events test` sends. */
export const TEST_TYPE = 'test';

/** An event that only says that a sink works. */
export function testEvent(sink: string, now: number): ToldEvent {
  const told = fact('event-test', { sink });
  return {
    id: randomUUID(),
    type: TEST_TYPE,
    timestamp: new Date(now).toISOString(),
    data: { policy: null, rotation: null, code: told.code, params: told.params, message: tell(told) },
  };
}

/** An event in a few words, for people. */
export function headlineOf({ type, data: { policy } }: ToldEvent): string {
  return strangersMessage(policy === null ? `keyturn: ${type}` : `keyturn: ${policy}: ${type}`);
}
