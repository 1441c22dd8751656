import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Line } from '../../src/ledger/write-history.ts';

interface Hooks {
  /** Called for each line before the statement that writes it. */
  readonly before?: (line: Line) => unknown;
  /** Called for each line once it is written. */
  readonly after?: (line: Line) => unknown;
}

/** A ledger that calls somebody at each line of the history that a run records. */
export function onLine(ledger: Ledger, { before, after }: Hooks): Ledger {
  return {
    ...ledger,
    async record(rotation, lines, changes) {
      for (const line of lines) await before?.(line);
      const row = await ledger.record(rotation, lines, changes);
      for (const line of lines) await after?.(line);
      return row;
    },
  };
}
