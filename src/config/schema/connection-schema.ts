import { isIPv6 } from 'node:net';
import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import {
  object,
  oneOf,
  postgresName,
  roleName,
  text,
  textLike,
  trueOrFalse,
  wholeNumber,
} from './schema-values.ts';

const host = text('host').refine((name) => isIPv6(name) || /^(\/[^,]*|[^\s/:,@]+)$/.test(name), {
  error: 'host' satisfies ConfigRule,
});

export const servername = text('servername').refine((name) => isIPv6(name) || /^[^\s/:,@]+$/.test(name), {
  error: 'servername' satisfies ConfigRule,
});

export const tlsSchema = object('tls', {
  mode: oneOf(['disable', 'require', 'verify-ca', 'verify-full'])
    .exactOptional()
    .describe(
      'As sslmode in libpq. Default: verify-full, or disable for a loopback host. require encrypts, but does not check whom it talks to.',
    ),
  ca: text('pem')
    .exactOptional()
    .describe(
      'PEM file, or PEM text, with the certificates to trust, for verify-ca and verify-full. Default: those of Node.js.',
    ),
  cert: text('pem')
    .exactOptional()
    .describe('PEM file, or PEM text, with the client certificate; needs key.'),
  key: text('pem')
    .exactOptional()
    .describe('PEM file, or PEM text, with the key of the client certificate, without a passphrase.'),
  servername: servername
    .exactOptional()
    .describe('Name to check the certificate for and to send as SNI, where host is a tunnel or an address.'),
  sni: trueOrFalse()
    .exactOptional()
    .describe('false: the name is not sent to the server, as sslsni=0 in libpq. Default: true.'),
});

const replica = object('replica', {
  host: host.describe('Host name, IP address, or folder of a Unix socket of the standby server.'),
  port: wholeNumber(1, 65_535, 'port')
    .exactOptional()
    .describe('TCP port of the standby server. Default: that of the connection.'),
  servername: servername
    .exactOptional()
    .describe('As servername of tls, for this server. The rest of tls is that of the connection.'),
});

const pgbouncer = object('pgbouncer', {
  host: host.describe('Host name or IP address of the PgBouncer, or the folder of its Unix socket.'),
  port: wholeNumber(1, 65_535, 'port').prefault(6432).describe('Port of the PgBouncer.'),
  user: text('console-user').describe('A user in stats_users of that PgBouncer, or in admin_users.'),
  password: text('console-password')
    .exactOptional()
    .describe(`Password of that user, best as \${file:PATH} or \${NAME}.`),
  tls: tlsSchema.prefault({}).describe('How the connection is encrypted and the PgBouncer checked.'),
});

const connectionUrl = textLike(/^postgres(ql)?:\/\//, 'connection-url');

export const connectionSchema = object('connection', {
  url: connectionUrl
    .exactOptional()
    .describe(
      'libpq URL in place of host, port, database, user, password and tls, with the meaning that it has there: docs/tls.md.',
    ),
  host: host
    .exactOptional()
    .describe('Host name, IP address, or folder of a Unix socket. Left out: the embedded PostgreSQL.'),
  port: wholeNumber(1, 65_535, 'port').prefault(5432).describe('TCP port of the server.'),
  database: postgresName('database-name')
    .exactOptional()
    .describe('Database in which the logins work. Needed unless there is a url.'),
  user: roleName('role')
    .exactOptional()
    .describe('The rotator: a role that may alter the logins. Needed with host.'),
  password: text('rotator-password')
    .exactOptional()
    .describe(`Password of the rotator, best as \${file:PATH} or \${NAME}.`),
  tls: tlsSchema.prefault({}).describe('How the connection is encrypted and the server checked.'),
  maxSessions: wholeNumber(1, 100, 'max-sessions')
    .prefault(4)
    .describe(
      'How many sessions of the rotator a worker may have at once. Each rotation that uses one opens another for a moment, to prove a login.',
    ),
  replicas: z
    .array(replica, { error: 'replicas' satisfies ConfigRule })
    .exactOptional()
    .describe(
      'Standby servers of this server that consumers log in to. Sessions on them count, and what is altered has to reach them.',
    ),
  pgbouncer: z
    .array(pgbouncer, { error: 'pgbouncers' satisfies ConfigRule })
    .exactOptional()
    .describe(
      'Admin consoles of the PgBouncers through which consumers reach the server: docs/pgbouncer.md.',
    ),
});

export type ConnectionEntry = z.output<typeof connectionSchema>;
