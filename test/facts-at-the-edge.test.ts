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
  'src/queue/queue-fault.ts': 'Redis puts the kind of an error into the first word of its message',
  'src/queue/reach.ts': 'ioredis reports the same error every second, and only its message tells',
  'src/secret-store/aws-secrets-manager/aws-requests.ts': 'the AWS SDK names errors and exports few classes',
  'src/visible.ts': "puts a stranger's message in quotes where it could pass for a remedy",
};

/** Errors that no user can cause: somebody would have to change the code. Each with what that is. */
const PROGRAMMING: Readonly<Record<string, string>> = {
  'src/targets.ts': 'the configuration was validated: policies name stores and connections that are there',
};

/**
 * TODO: empty this, then remove it. How many offences files have that are not converted yet. A file that
 * is converted has none; where its rest is foreign text it moves to FOREIGN.
 */
const NOT_CONVERTED: Readonly<Record<string, number>> = {
  'jobs/rotate.ts': 1,
  'src/config/build-config.ts': 1,
  'src/config/policy-named.ts': 1,
  'src/config/schema/describe-issue.ts': 1,
  'src/config/urls/url-entry.ts': 1,
  'src/config/watch-config.ts': 3,
  'src/config/yaml/locate.ts': 1,
  'src/config/yaml/read-yaml.ts': 1,
  'src/doctor/clock-finding.ts': 3,
  'src/doctor/door-findings.ts': 4,
  'src/doctor/examine-connection.ts': 3,
  'src/doctor/examine-policy.ts': 3,
  'src/doctor/examine-state.ts': 6,
  'src/doctor/fault-finding.ts': 1,
  'src/doctor/grace-finding.ts': 2,
  'src/doctor/hba-findings.ts': 3,
  'src/doctor/pgbouncer-findings.ts': 2,
  'src/doctor/proof-findings.ts': 8,
  'src/doctor/schedule-findings.ts': 7,
  'src/doctor/slot-findings.ts': 2,
  'src/doctor/store-findings.ts': 1,
  'src/doctor/tls-findings.ts': 2,
  'src/doctor/use-findings.ts': 3,
  'src/ledger/ledger.ts': 1,
  'src/ledger/migrations.ts': 2,
  'src/ledger/open-state-pool.ts': 1,
  'src/ledger/state-clock.ts': 1,
  'src/ledger/state-error.ts': 1,
  'src/postgres/connection/confirm-pin.ts': 2,
  'src/postgres/connection/connect-error.ts': 2,
  'src/postgres/connection/database-error.ts': 6,
  'src/postgres/connection/scram-fault.ts': 8,
  'src/postgres/connection/session-pool.ts': 2,
  'src/postgres/embedded/attach.ts': 3,
  'src/postgres/embedded/binaries.ts': 2,
  'src/postgres/embedded/cluster.ts': 1,
  'src/postgres/embedded/home.ts': 2,
  'src/postgres/embedded/keep-running.ts': 2,
  'src/postgres/embedded/lease.ts': 1,
  'src/postgres/embedded/own-files.ts': 4,
  'src/postgres/embedded/port.ts': 1,
  'src/postgres/embedded/server-user.ts': 2,
  'src/postgres/embedded/server.ts': 4,
  'src/postgres/embedded/superuser-lock.ts': 1,
  'src/postgres/locks/policy-lock.ts': 2,
  'src/postgres/logins/alter-login.ts': 1,
  'src/postgres/logins/scram-verifier.ts': 1,
  'src/postgres/replicas/open-replica.ts': 1,
  'src/postgres/tls/tls-fault.ts': 8,
  'src/roles/carry-out.ts': 3,
  'src/roles/drop/drop-for-good.ts': 1,
  'src/roles/drop/drop-roles.ts': 2,
  'src/roles/drop/hand-over.ts': 2,
  'src/roles/drop/refuse-drop.ts': 5,
  'src/roles/holders-of.ts': 1,
  'src/roles/intent-of.ts': 4,
  'src/roles/refuse-rotator.ts': 1,
  'src/roles/roles-plan.ts': 1,
  'src/roles/under-lock.ts': 1,
  'src/rotation/await-replay.ts': 1,
  'src/rotation/cancel.ts': 3,
  'src/rotation/context/resolve-logins.ts': 1,
  'src/rotation/context/rotation-context.ts': 1,
  'src/rotation/context/with-rotator-password.ts': 3,
  'src/rotation/failure.ts': 1,
  'src/rotation/findings/coming-in.ts': 3,
  'src/rotation/findings/grant-findings.ts': 1,
  'src/rotation/findings/leftover-findings.ts': 3,
  'src/rotation/findings/login-findings.ts': 3,
  'src/rotation/findings/missing-findings.ts': 1,
  'src/rotation/findings/outside-findings.ts': 1,
  'src/rotation/findings/ownership-findings.ts': 1,
  'src/rotation/findings/replica-findings.ts': 1,
  'src/rotation/findings/rotator-findings.ts': 5,
  'src/rotation/findings/unpublished-use.ts': 4,
  'src/rotation/outside-changes/outside-changes.ts': 8,
  'src/rotation/outside-changes/rotator-outside-change.ts': 3,
  'src/rotation/proof/prove-login.ts': 1,
  'src/rotation/proof/proven-login.ts': 1,
  'src/rotation/proof/run-verify-statements.ts': 1,
  'src/rotation/refuse-late-start.ts': 1,
  'src/rotation/refuse-replaced.ts': 1,
  'src/rotation/roll-back.ts': 8,
  'src/rotation/rotate.ts': 1,
  'src/rotation/rotator-steps/check-rotator.ts': 1,
  'src/rotation/rotator-steps/is-set.ts': 1,
  'src/rotation/steps/check.ts': 1,
  'src/rotation/steps/cut.ts': 1,
  'src/rotation/steps/drain.ts': 1,
  'src/rotation/steps/publish.ts': 1,
  'src/rotation/steps/revoke.ts': 2,
  'src/rotation/steps/set.ts': 2,
  'src/rotation/steps/stage.ts': 1,
  'src/rotation/steps/verify.ts': 1,
  'src/schedule/describe-slot.ts': 1,
  'src/schedule/local-time.ts': 1,
  'src/secret-store/describe-exposure.ts': 2,
};

/** By rule: whether a file may do that, for a reason that is written down above. */
function isAllowed({ file, rule }: Offence): boolean {
  if (EDGE.test(file)) return true;
  return file in (rule === 'sentence' ? PROGRAMMING : FOREIGN);
}

const all = offencesIn(join(ROOT, 'tsconfig.json'), ROOT);
const offences = all.filter((offence) => !isAllowed(offence));

test('nothing below the edge decides by the text or name of an error, or throws a sentence', () => {
  const unexpected = offences.filter(({ file }) => !(file in NOT_CONVERTED));
  expect(unexpected.map(({ at, rule, code }) => `${at} ${rule}: ${code}`)).toEqual([]);
});

test('the list of files that are not converted is exact: it shrinks, and no file gets worse', () => {
  const counts: Record<string, number> = {};
  for (const { file } of offences) if (file in NOT_CONVERTED) counts[file] = (counts[file] ?? 0) + 1;
  expect(counts).toEqual(NOT_CONVERTED);
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
  ['throw new Refusal(`The login ${error} has sessions`);', 'sentence'],
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
