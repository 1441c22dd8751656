import { tell } from '../../../messages/tell.ts';
import type { RolesPlan } from '../../../roles/plan/roles-plan.ts';
import type { Io } from '../../io.ts';
import { factJson } from '../../output/fact-json.ts';
import { writeSql } from './write-sql.ts';

/**
 * Writes a plan as JSON or SQL, if asked for. In any case, its warnings and what it does not change
 * go to stderr.
 */
export function writePlan(
  io: Io,
  { intent: { policy }, changes, left, warnings, current }: RolesPlan,
  { sql, json }: { readonly sql?: true; readonly json?: true },
): void {
  if (json) {
    io.stdout.json({
      policy,
      changes: changes.map(({ does, sql }) => ({
        what: tell(does),
        sql,
        code: does.code,
        params: does.params,
      })),
      left: left.map(tell),
      warnings: warnings.map(tell),
      leftFacts: left.map(factJson),
      warningFacts: warnings.map(factJson),
    });
  } else if (sql) {
    writeSql(
      io,
      `The roles of ${policy}: run this in the database ${current.database.name} as a superuser.`,
      changes,
    );
  }
  for (const fact of left) io.stderr.write(`${policy} left: ${tell(fact)}\n`);
  for (const fact of warnings) io.stderr.write(`${policy} warning: ${tell(fact)}\n`);
}
