import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Offence, offencesIn } from './support/text-decisions.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Where English belongs: the table of messages, and the commands that print it. */
const EDGE = /^src\/(messages|cli)\//;

/**
 * Files that have to judge the text or the name of an error that is not ours, because it has no code,
 * each with whose it is. Nothing of ours may be judged there.
 */
const FOREIGN: Readonly<Record<string, string>> = {
  'src/postgres/connection/connect-error.ts': 'pg has no code for a server that does not speak TLS',
  'src/postgres/connection/database-error.ts': 'pg has no codes, and PgBouncer has one for all its faults',
  'src/postgres/embedded/attach.ts': 'pg tells only in words that the server closed the connection',
  'src/postgres/tls/tls-fault.ts': 'pg, OpenSSL and PostgreSQL tell only in words what is wrong with TLS',
  'src/queue/queue-fault.ts': 'Redis puts the kind of an error into the first word of its message',
  'src/queue/redis/redis-connection.ts': 'Redis says only in words that it has become a replica',
  'src/queue/reach.ts': 'ioredis reports the same error every second, and only its message tells',
  'src/secret-store/aws-secrets-manager/aws-requests.ts': 'the AWS SDK names errors and exports few classes',
  'src/secret-store/aws-parameter-store/parameter-requests.ts':
    'the AWS SDK names errors and exports few classes',
  'src/visible.ts': "puts a stranger's message in quotes where it could pass for a remedy",
};

/** Errors that no user can cause: somebody would have to change the code. Each with what that is. */
const PROGRAMMING: Readonly<Record<string, string>> = {
  'src/config/build-policies.ts': 'the schema demands a login for every policy',
  'src/ledger/policies.ts': 'the row of a policy is made before anybody asks for it',
  'src/postgres/logins/scram-verifier.ts':
    'keyturn sets passwords that it generated; `roles rotator` catches it of others',
  'src/postgres/roles/target-database.ts': 'the database that a session is connected to is in the catalog',
  'src/rotation/context/resolve-logins.ts': 'check refuses a rotation where both logins have sessions',
  'src/rotation/context/rotation-logins.ts': 'only check runs before the logins are known',
  'src/rotation/plan.ts': 'a rotation begins with check, which says what the logins would be',
  'src/rotation/steps/check.ts': 'where neither login comes in, a finding says why and ends the rotation',
  'src/schedule/describe-slot.ts': 'slots are computed from schedules that were validated',
  'src/schedule/local-time.ts': 'the configuration was validated: its time zones are known',
  'src/targets.ts': 'the configuration was validated: policies name stores and connections that are there',
};

/** By rule: whether a file may do that, for a reason that is written down above. */
function isAllowed({ file, rule }: Offence): boolean {
  if (EDGE.test(file)) return true;
  return file in (rule === 'sentence' ? PROGRAMMING : FOREIGN);
}

const all = offencesIn(join(ROOT, 'tsconfig.json'), ROOT);

test('nothing below the edge decides by the text or name of an error, or throws a sentence', () => {
  const offences = all.filter((offence) => !isAllowed(offence));
  expect(offences.map(({ at, rule, code }) => `${at} ${rule}: ${code}`)).toEqual([]);
});

test('the lists of exceptions name only files that need one', () => {
  const needed = new Set(all.map(({ file }) => file));
  const idle = [...Object.keys(FOREIGN), ...Object.keys(PROGRAMMING)].filter((file) => !needed.has(file));
  expect(idle).toEqual([]);
});

/** Code, with the rule that it breaks. */
const SAMPLES: readonly (readonly [code: string, rule: Offence['rule'] | undefined])[] = [
  ["if (error.name === 'Refusal') stop();", 'name'],
  ["if (['Refusal', 'SessionsHiddenError'].includes(error.name)) stop();", 'name'],
  ["if ((error as Error).name === 'TypeError') stop();", 'name'],
  ["if (kinds.includes('Refusal')) stop();", 'name'],
  ["if (error.message.includes('locked')) stop();", 'text'],
  ['if (error.message !== latest) stop();', 'text'],
  ['if (/locked/.test(error.message)) stop();', 'text'],
  ["const { message } = error; if (message.startsWith('x')) stop();", 'text'],
  ["const parts = error.message.split('; ');", 'text'],
  ["switch (error.message) { case 'x': stop(); }", 'text'],
  ["throw new Error('The store has no such secret here');", 'sentence'],
  ['throw new Refusal(`The login \u0024{error} has sessions`);', 'sentence'],
  ["report({ text: 'this is a sentence of ours' });", 'sentence'],
  ["log.warn({ a: 1 }, 'this is a sentence of ours');", 'sentence'],
  ["if (policy.name === 'orders') stop();", undefined],
  ["throw new Error('no such port');", undefined],
  ["throw fault('store-unreachable', { detail: error.message });", undefined],
  ["if (error.code === 'ENOENT') stop();", undefined],
  ['if (error.message === undefined) stop();', undefined],
  ["report({ remedy: 'ALTER ROLE a IN DATABASE b NOLOGIN' });", undefined],
];

test('each way to decide by text and to make a sentence is found, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-samples-'));
  try {
    await writeFile(join(folder, 'tsconfig.json'), '{ "include": ["."] }');
    await Promise.all(
      SAMPLES.map(([code], index) => writeFile(join(folder, `${index}.ts`), `export {};\n${code}`)),
    );
    const found = offencesIn(join(folder, 'tsconfig.json'), folder);
    const rules = SAMPLES.map((_, index) =>
      found.filter(({ file }) => file === `${index}.ts`).map(({ rule }) => rule),
    );
    expect(SAMPLES.map(([code], index) => [code, rules[index]])).toEqual(
      SAMPLES.map(([code, rule]) => [code, rule === undefined ? [] : [rule]]),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
