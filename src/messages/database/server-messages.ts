import type { AuthenticationMethod, ServerFacts } from '../../facts/database/server-facts.ts';
import type { Messages } from '../message.ts';
import { atServer } from './at-server.ts';

const PLACE = 'keyturn@db.internal:5432/orders';
const DEMAND_SCRAM = 'let pg_hba.conf demand scram-sha-256 from this address';
const IMPOSTOR = 'If nobody changed the server, find out who answers at this address';
const NO_POOLER = 'point the connection at PostgreSQL itself';
const LIMIT = 'end sessions that nobody needs, or raise the limit that it names. keyturn tries again';

const ASKED: Readonly<Record<AuthenticationMethod, string>> = {
  cleartext: 'the password in clear text',
  md5: 'an MD5 hash of the password',
  gssapi: 'GSSAPI or SSPI',
  sasl: 'a SASL mechanism other than SCRAM-SHA-256',
  unknown: 'an authentication that keyturn does not know',
};

/** Where each comes from, and what ends it. */
const ADVICE: Readonly<Partial<Record<AuthenticationMethod, string>>> = {
  cleartext: `pg_hba.conf there says password, ldap, pam or radius; let it demand scram-sha-256 from this address`,
  md5: `${DEMAND_SCRAM}; if only an MD5 hash of the password is stored, SET password_encryption = 'scram-sha-256' there and set the same password again`,
  gssapi: `${DEMAND_SCRAM}, before its line with gss or sspi`,
};

/** By why a login was refused. PgBouncer does not say why: its refusals count as `entry`. */
const REFUSED: Readonly<Record<ServerFacts['login-refused']['because'], string>> = {
  password: 'check the user and password',
  nologin: 'create the role, or let it log in (ALTER ROLE … LOGIN)',
  entry: 'check the user and password, and pg_hba.conf',
};

export const serverMessages: Messages<ServerFacts> = atServer<ServerFacts>({
  'server-unreachable': {
    text: ({ detail }) => detail,
    advice: 'check host, port, firewall and that the server is up',
    means:
      'The server could not be reached, did not answer in time, or ended the session. keyturn tries again.',
    example: { place: PLACE, detail: 'connect ECONNREFUSED 10.0.0.5:5432' },
  },
  'server-answers-with-error': {
    text: () =>
      'the server answered the request for TLS with an error, for instance because it cannot start a process',
    advice: 'its log says why',
    means:
      'PostgreSQL answered the request for TLS with an error. keyturn does not show what it said, because anyone on the network could have said it. keyturn tries again.',
    example: { place: PLACE },
  },
  'login-refused': {
    text: ({ detail, rotator }) =>
      rotator ? `PostgreSQL refused keyturn's own user "${rotator.user}": ${detail}` : detail,
    advice: ({ because, rotator }) =>
      rotator
        ? `if nobody has created it yet, have an administrator run what this prints: keyturn roles rotator ${rotator.connection} --sql. If it exists, ${REFUSED[because]}`
        : REFUSED[because],
    means:
      "The server refused the login: its password is wrong, it is NOLOGIN or does not exist, or no line of pg_hba.conf lets it in from this address. If it is the user of a connection, keyturn's own, nobody may have created it yet.",
    example: {
      place: PLACE,
      because: 'password',
      detail: 'password authentication failed for user "keyturn"',
    },
  },
  'password-missing': {
    text: () => 'the server asks for a password, and there is none',
    advice: 'check the user and password, and pg_hba.conf',
    means: 'The server asks for a password, and the configuration has none, or an empty one.',
    example: { place: PLACE },
  },
  'server-uses-no-scram': {
    text: ({ asked }) =>
      `the server asks for ${ASKED[asked]}. keyturn answers SCRAM-SHA-256 only, and sent nothing`,
    advice: ({ asked }) => `${ADVICE[asked] ?? DEMAND_SCRAM}. ${IMPOSTOR}`,
    means:
      'The server asked for the password in another way than SCRAM-SHA-256. Each of them would give it something to misuse, so keyturn sent nothing.',
    example: { place: PLACE, asked: 'md5' },
  },
  'scram-not-proven': {
    text: ({ detail }) =>
      `the server did not prove by SCRAM that it knows the password (${detail}); it may be an impostor`,
    advice: 'find out who answers at this address',
    means:
      'The exchange of SCRAM-SHA-256 failed on the side of the server, so it may not be the one that has the password.',
    example: { place: PLACE, detail: 'SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match' },
  },
  'scram-out-of-turn': {
    text: ({ message }) =>
      `the server did not prove by SCRAM that it knows the password (${message} came out of turn); it may be an impostor`,
    advice: 'find out who answers at this address',
    means: 'The server sent a message of the SCRAM exchange at a moment at which no honest server does.',
    example: { place: PLACE, message: 'authenticationSASLFinal' },
  },
  'server-asks-no-password': {
    text: () =>
      'the server let the login in without a SCRAM exchange, which proves neither the password nor the server',
    advice: `${DEMAND_SCRAM}, or configure no password where none is asked for`,
    means: 'The server let a login in without asking for its password, for instance by trust or peer.',
    example: { place: PLACE },
  },
  'connection-is-pooler': {
    text: ({ detail }) => detail,
    advice:
      'this is a pooler such as PgBouncer; point the connection at PostgreSQL itself, and list the PgBouncer under pgbouncer',
    means:
      'The server refused a startup parameter that PostgreSQL takes, as PgBouncer does. keyturn changes logins on PostgreSQL itself only.',
    example: { place: PLACE, detail: 'unsupported startup parameter: options' },
  },
  'startup-options-ignored': {
    text: ({ searchPath }) =>
      `the server ignores startup options, as a pooler does: the search path is ${JSON.stringify(searchPath)}`,
    advice: NO_POOLER,
    means:
      'The session does not have the settings that keyturn asked for when it connected. Without them others could change what its statements do.',
    example: { place: PLACE, searchPath: '"$user", public' },
  },
  'session-of-another-role': {
    text: ({ login, acting, user }) =>
      `the session belongs to ${login} and acts as ${acting}, not as ${user}`,
    advice: `${NO_POOLER}, with that user`,
    means: 'Another role than the configured one was logged in, as a pooler may do.',
    example: { place: PLACE, login: 'pool', acting: 'pool', user: 'keyturn' },
  },
  'pgbouncer-unreachable': {
    text: ({ detail }) => detail,
    // One that has an auth_query may leave a user whom it does not know without an answer.
    advice: 'check host, port and firewall, that this PgBouncer is up, and that its auth_file has the user',
    means: 'The admin console of a PgBouncer could not be reached. keyturn tries again.',
    example: { place: 'keyturn@pool.internal:6432/pgbouncer', detail: 'timeout expired' },
  },
  'pgbouncer-login-refused': {
    text: ({ detail }) => detail,
    advice: 'check the user and password, and that auth_file and stats_users of this PgBouncer have the user',
    means: 'The admin console of a PgBouncer refused the user that pgbouncer names in the configuration.',
    example: { place: 'keyturn@pool.internal:6432/pgbouncer', detail: 'SASL authentication failed' },
  },
  'pgbouncer-command-refused': {
    text: ({ detail }) => detail,
    means: 'A PgBouncer refused a command of its admin console, in its own words. keyturn tries again.',
    example: {
      place: 'keyturn@pool.internal:6432/pgbouncer',
      detail: "invalid command 'SHOW POOLS', use SHOW HELP;",
    },
  },
  'database-missing': {
    text: ({ detail }) => detail,
    advice: "create it, or correct the connection's database",
    means: 'The server has no database of the configured name.',
    example: { place: PLACE, detail: 'database "orders" does not exist' },
  },
  'object-missing': {
    text: ({ detail }) => detail,
    means: 'A statement named a role, a setting or another object that is not there.',
    example: { place: PLACE, detail: 'role "orders_api_a" does not exist' },
  },
  'privilege-missing': {
    text: ({ detail }) => detail,
    means: 'PostgreSQL refused a statement or a login because a right is missing.',
    example: { place: PLACE, detail: 'permission denied for database "orders"' },
  },
  'connections-exhausted': {
    text: ({ detail }) => `the server has no free connection (${detail})`,
    advice:
      'end sessions that nobody needs, or raise max_connections. On PostgreSQL 16 and newer, reserved_connections keeps some free for a rotator that has pg_use_reserved_connections. keyturn tries again',
    means: 'Every connection that max_connections allows is taken. keyturn tries again.',
    example: { place: PLACE, detail: 'sorry, too many clients already' },
  },
  'connections-exhausted-lately': {
    text: () => 'the server had no free connection a moment ago, so keyturn waits before it asks again',
    means: 'The server had no free connection, and keyturn leaves it alone for up to half a minute.',
    example: { place: PLACE },
  },
  'login-connection-limit-reached': {
    text: ({ detail }) => `the login has as many sessions as it may have (${detail})`,
    advice: LIMIT,
    means: 'The login has as many sessions as its CONNECTION LIMIT allows. keyturn tries again.',
    example: { place: PLACE, detail: 'too many connections for role "orders_api_a"' },
  },
  'database-connection-limit-reached': {
    text: ({ detail }) => `the database has as many sessions as it may have (${detail})`,
    advice: LIMIT,
    means: 'The database has as many sessions as its CONNECTION LIMIT allows. keyturn tries again.',
    example: { place: PLACE, detail: 'too many connections for database "orders"' },
  },
  'no-session-free': {
    text: ({ seconds }) =>
      `other rotations use all sessions that keyturn may have there, and none came free in ${seconds} s`,
    advice: ({ connection, maxSessions }) =>
      `keyturn tries again. If this lasts, raise maxSessions of connection ${connection} (now ${maxSessions})`,
    means:
      'The rotations of this process use all sessions that maxSessions of the connection allows. keyturn tries again.',
    example: { place: PLACE, connection: 'orders-db', seconds: 30, maxSessions: 4 },
  },
  'database-error': {
    text: ({ detail }) => detail,
    means: 'An error of PostgreSQL that keyturn has no code for, in its own words. keyturn tries again.',
    example: { place: PLACE, detail: 'could not write block 7 of relation base/5/1249' },
  },
});
