import { tell } from '../../../messages/tell.ts';
import { SCRIPT_PIN } from '../../../postgres/connection/session-pin.ts';
import { limitLockWaits } from '../../../postgres/locks/lock-fault.ts';
import { oneLineNames } from '../../../postgres/one-line-names.ts';
import type { Change } from '../../../postgres/roles/change.ts';
import type { Io } from '../../io.ts';

interface Part {
  readonly comment: string;
  /** Statements that end with semicolons. */
  readonly sql: string;
}

/** Writes changes as one transaction. Without changes it writes only comments. */
export function writeSql(io: Io, title: string, changes: readonly Change[]): void {
  if (changes.length === 0) {
    io.stdout.write(commentOf(title));
    io.stdout.write('-- There is nothing to do.');
    return;
  }
  const parts = changes.map(({ does, sql }) => ({ comment: tell(does), sql: `${sql};` }));
  writeScript(io, title, parts);
}

/** Writes parts of a script as one transaction, for `psql -v ON_ERROR_STOP=1 -f`. */
export function writeScript(io: Io, title: string, parts: readonly Part[]): void {
  const lines = parts.flatMap(({ comment, sql }) => [commentOf(comment), ...linesOf(sql)]);
  const head = [commentOf(title), 'BEGIN;', ...SCRIPT_PIN, `${limitLockWaits()};`];
  for (const line of [...head, ...lines, 'COMMIT;']) io.stdout.write(line);
}

/** Only one line: what follows a line break in a name would be executed. */
function commentOf(text: string): string {
  return `-- ${text}`;
}

/** The lines of the statements. Line breaks in names are already escaped. */
function linesOf(sql: string): string[] {
  return oneLineNames(sql).split('\n');
}
