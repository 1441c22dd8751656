import type { Clock } from '../clock.ts';
import type { Connection } from '../config/config.ts';
import { fact } from '../facts/fact.ts';
import { sql } from '../facts/remedy.ts';
import { connectRotator } from '../postgres/connection/connect-rotator.ts';
import { readServer } from '../postgres/connection/rotator.ts';
import { readServerSettings } from '../postgres/connection/server-settings.ts';
import { openReplica } from '../postgres/replicas/open-replica.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { replicaFindings } from '../rotation/findings/replica-findings.ts';
import { serverFindings } from '../rotation/findings/server-findings.ts';
import { clockFinding } from './clock-finding.ts';
import { faultFinding } from './fault-finding.ts';
import { pgbouncerFindings } from './pgbouncer-findings.ts';
import { tlsFindings } from './tls-findings.ts';

export interface ConnectionExamination {
  /** Whether the logins can be looked at through it. */
  readonly usable: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Looks at one connection: its server, the way to it, its replicas and PgBouncers. Never throws.
 */
export async function examineConnection(
  connection: Connection,
  { clock }: { readonly clock: Clock },
): Promise<ConnectionExamination> {
  const primary = examinePrimary(connection, clock);
  const [{ usable, findings }, ...others] = await Promise.all([
    primary,
    ...(connection.pgbouncer ?? []).map(async (settings) => ({
      findings: await pgbouncerFindings(settings, clock.now()),
    })),
  ] as const);
  return { usable, findings: [...findings, ...others.flatMap((other) => other.findings)] };
}

async function examinePrimary(connection: Connection, clock: Clock): Promise<ConnectionExamination> {
  const findings: Finding[] = [];
  try {
    await using session = await connectRotator(connection);
    const { client } = session;
    const server = await readServer(client);
    const before = clock.now();
    const settings = await readServerSettings(client);
    const after = clock.now();
    const unfit = serverFindings(connection, server);
    findings.push(...unfit);
    if (unfit.length === 0) {
      const { version } = settings;
      const at = `${connection.host}:${connection.port}`;
      const ready = fact('server-ready', { server: at, version, rotator: server.rotator });
      findings.push(finding('ok', 'server', ready));
    }
    findings.push(...tlsFindings(connection, { client, now: after }));
    findings.push(clockFinding(settings.clock, { before, after }));
    if (settings.passwordEncryption !== 'scram-sha-256') findings.push(MD5);
    for (const replica of connection.replicas ?? []) {
      findings.push(...(await examineReplica(connection, replica, { rotator: async () => client, after })));
    }
    return { usable: !server.pooled, findings };
  } catch (error) {
    return { usable: false, findings: [...findings, faultFinding('server', error)] };
  }
}

/**
 * keyturn sets SCRAM verifiers all the same, and pg_hba's method md5 takes those. Consumers must,
 * too.
 */
const MD5 = finding(
  'warn',
  'passwords',
  fact(
    'password-encryption-md5',
    {},
    sql("ALTER SYSTEM SET password_encryption = 'scram-sha-256'", 'SELECT pg_catalog.pg_reload_conf()'),
  ),
);

async function examineReplica(
  connection: Connection,
  replica: NonNullable<Connection['replicas']>[number],
  { rotator, after }: { rotator: Parameters<typeof replicaFindings>[0]['rotator']; after: number },
): Promise<Finding[]> {
  await using opened = openReplica(connection, replica);
  try {
    const unfit = await replicaFindings({ connection, rotator }, opened);
    const tls = await opened.ask(async (client) => tlsFindings(replica, { client, now: after }));
    const amiss = [...unfit, ...tls.filter(({ level }) => level !== 'ok')];
    if (amiss.length > 0) return amiss;
    return [finding('ok', 'replica', fact('replica-follows', { replica: opened.name }))];
  } catch (error) {
    return [faultFinding('replica', error)];
  }
}
