import type { RolesPlan } from '../../../roles/roles-plan.ts';
import type { Io } from '../../io.ts';
import { writeJson } from '../../output/table.ts';
import { writeSql } from './write-sql.ts';

/** Writes a plan as JSON or SQL, if asked for, and to stderr in any case what it leaves and warns of. */
export function writePlan(
  io: Io,
  { intent: { policy }, changes, left, warnings, world }: RolesPlan,
  { sql, json }: { readonly sql?: true; readonly json?: true },
): void {
  if (json) {
    writeJson(io, { policy, changes: changes.map(({ what, sql }) => ({ what, sql })), left, warnings });
  } else if (sql) {
    writeSql(
      io,
      `The roles of ${policy}: run it in the database ${world.database.name} as a superuser.`,
      changes,
    );
  }
  for (const text of left) io.stderr.write(`${policy} left: ${text}\n`);
  for (const text of warnings) io.stderr.write(`${policy} warning: ${text}\n`);
}
