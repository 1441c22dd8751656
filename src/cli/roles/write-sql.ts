import { limitLockWaits } from '../../postgres/lock-waits.ts';
import type { Change } from '../../postgres/roles/change.ts';
import type { Io } from '../io.ts';

interface Part {
  readonly comment: string;
  /** Complete with semicolons. */
  readonly sql: string;
}

/** Writes changes as one transaction; nothing but comments where there is none. */
export function writeSql(io: Io, title: string, changes: readonly Change[]): void {
  if (changes.length === 0) io.stdout.write(`${commentOf(title)}\n-- There is nothing to do.\n`);
  else
    writeScript(
      io,
      title,
      changes.map(({ what, sql }) => ({ comment: what, sql: `${sql};` })),
    );
}

/** Writes parts of a script as one transaction, for `psql -v ON_ERROR_STOP=1 -f`. */
export function writeScript(io: Io, title: string, parts: readonly Part[]): void {
  const lines = parts.map(({ comment, sql }) => `${commentOf(comment)}\n${sql}`);
  io.stdout.write([commentOf(title), 'BEGIN;', `${limitLockWaits()};`, ...lines, 'COMMIT;', ''].join('\n'));
}

/** Names may hold line breaks, and what follows one would be run. */
function commentOf(text: string): string {
  return `-- ${text.replace(/[\r\n\u2028\u2029]+/g, ' ')}`;
}
