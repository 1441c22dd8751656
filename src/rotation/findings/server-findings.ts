import type { Connection } from '../../config/config.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import type { Server } from '../../postgres/connection/rotator.ts';
import { type Finding, finding } from './finding.ts';

const OLDEST_SERVER = 140_000;

/** Why no login can be rotated on a server: it is a pooler, a standby, or too old. */
export function serverFindings({ host, port }: Connection, server: Server): Finding[] {
  const at = { server: `${host}:${port}` };
  const facts: Fact[] = [];
  if (server.pooled) facts.push(fact('server-is-pooler', at));
  if (server.standby) facts.push(fact('server-is-standby', at));
  if (server.version < OLDEST_SERVER) {
    facts.push(fact('server-too-old', { version: Math.trunc(server.version / 10_000) }));
  }
  return facts.map((each) => finding('fail', 'server', each));
}
