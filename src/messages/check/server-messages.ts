import type { CheckServerFacts } from '../../facts/check/server-facts.ts';
import { describeRight } from '../database/describe-right.ts';
import type { Messages } from '../message.ts';

const SERVER = 'db.internal:5432';
const REPLICA = 'replica.internal:5432';

export const checkServerMessages: Messages<CheckServerFacts> = {
  'server-is-pooler': {
    text: ({ server }) => `${server} is a pooler, which could let a login in without PostgreSQL`,
    advice: 'point the connection at PostgreSQL itself, and list a PgBouncer under pgbouncer',
    means:
      'A pooler such as PgBouncer answers at the address of the connection. A login that works there proves nothing, because the pooler may have let it in by itself.',
    example: { server: 'pgbouncer.internal:6432' },
  },
  'server-is-standby': {
    text: ({ server }) => `${server} is a standby server, where logins cannot be altered`,
    advice: 'point the connection at the primary',
    means: 'The server of the connection replays changes of another server, and accepts none of its own.',
    example: { server: SERVER },
  },
  'server-too-old': {
    text: ({ version }) => `PostgreSQL ${version} is too old`,
    advice: '14 or newer is needed',
    means: 'Logins of PostgreSQL 13 or older cannot be rotated.',
    example: { version: 13 },
  },
  'replica-not-standby': {
    text: ({ replica }) =>
      `The replica ${replica} is no standby server: it replays nothing, so no login that is altered on the primary reaches it`,
    advice: ({ connection }) => `correct the replicas of connection ${connection}`,
    means:
      'A server under `replicas` is a server of its own. Consumers that connect there would be refused after a rotation.',
    example: { replica: REPLICA, connection: 'orders-db' },
  },
  'replica-of-another-server': {
    text: ({ replica, server, found, expected }) =>
      `The replica ${replica} is a standby of another server than ${server}: its system identifier is ${found}, not ${expected}`,
    advice: ({ connection }) => `correct the replicas of connection ${connection}`,
    means:
      'A server under `replicas` replays changes of another cluster, so a login that is altered on the primary does not reach it.',
    example: {
      replica: REPLICA,
      connection: 'orders-db',
      server: SERVER,
      expected: '7412345678901234567',
      found: '7400000000000000001',
    },
  },
  'rotator-lacks-privileges': {
    text: ({ rotator, missing }) =>
      `The rotator ${rotator} may not ${missing.map(describeRight).join(', nor ')}`,
    means:
      'The role that keyturn connects as lacks rights that a rotation needs. The statements in the message give them to it.',
    example: {
      rotator: 'keyturn',
      missing: [{ right: 'alter-login', login: 'orders_api_b' }, { right: 'see-sessions' }],
    },
  },
  'rotator-not-proven': {
    text: ({ server }) =>
      `${server}: the server let the rotator in without a SCRAM exchange, so a new password could not be proven`,
    advice:
      "let pg_hba.conf demand scram-sha-256 from this address, and if its password is an MD5 one, set it once more with password_encryption = 'scram-sha-256'",
    means:
      'The policy rotates the password of the rotator itself, and the server lets the rotator in whatever its password is. A new password could then not be told from a wrong one.',
    example: { server: SERVER },
  },
  'rotator-is-state-login': {
    text: ({ server }) =>
      `${server}: the rotator is the login of state.database too, where its old password would stay`,
    advice: ({ statement }) => `have state.database log in as another: ${statement}`,
    means:
      'The policy rotates the password of the rotator itself, and keyturn reaches its ledger with the same login. After the rotation keyturn could not log in there.',
    example: {
      server: SERVER,
      statement: `CREATE ROLE keyturn_state LOGIN PASSWORD '…' IN ROLE "keyturn"`,
    },
  },
  'rotator-has-replication': {
    text: ({ rotator }) =>
      `${rotator} has REPLICATION, so up to PostgreSQL 15 only a superuser may give it another password`,
    means:
      'The policy rotates the password of the rotator itself, which may not alter itself on this version of PostgreSQL.',
    example: { rotator: 'keyturn' },
  },
};
