import type pg from 'pg';
import type { Clock } from '../clock.ts';

/** What the ledger's functions work with. */
export interface LedgerContext {
  readonly pool: pg.Pool;
  readonly clock: Clock;
}

export function nowOf({ clock }: LedgerContext): Date {
  return new Date(clock.now());
}
