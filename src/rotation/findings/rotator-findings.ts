import { isDeepStrictEqual } from 'node:util';
import { fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { connectRotator } from '../../postgres/connection/connect-rotator.ts';
import { readIdentity } from '../../postgres/connection/identity.ts';
import { placeOf } from '../../postgres/connection/place-of.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { type Finding, finding } from './finding.ts';

/**
 * What would keep the rotator from proving a new password of its own, once it has set it, or
 * keyturn from its ledger. The latter is not checked where `ledger` is undefined.
 */
export async function rotatorFindings({
  connection,
  beside,
  ledger,
}: Pick<PolicyView, 'connection' | 'beside'> & { readonly ledger: Ledger | undefined }): Promise<Finding[]> {
  await using session = await beside(() => connectRotator(connection));
  const { rows } = await session.client.query<{ fixed: boolean }>(
    `SELECT pg_catalog.current_setting('server_version_num')::int < 160000
            AND me.rolreplication AND NOT me.rolsuper AS fixed
       FROM pg_catalog.pg_roles AS me WHERE me.rolname = current_user`,
  );
  const own = await readIdentity(session.client);
  const server = placeOf(connection);
  const findings: Finding[] = [];
  if (!session.proven) findings.push(finding('fail', 'rotator', fact('rotator-not-proven', { server })));
  if (isDeepStrictEqual(await ledger?.identity(), own)) {
    const statement = `CREATE ROLE keyturn_state LOGIN PASSWORD '…' IN ROLE ${quoteIdentifier(own.login)}`;
    findings.push(finding('fail', 'rotator', fact('rotator-is-state-login', { server, statement })));
  }
  // https://www.postgresql.org/docs/15/sql-alterrole.html: nor may it alter itself.
  if (rows[0]?.fixed) {
    const { user } = connection;
    const remedy = sql(`ALTER ROLE ${quoteIdentifier(user)} NOREPLICATION`);
    findings.push(finding('fail', 'rotator', fact('rotator-has-replication', { rotator: user }, remedy)));
  }
  return findings;
}
