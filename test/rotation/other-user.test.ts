import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, inject, test } from 'vitest';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import { CONSUMER, GROUP, isRoot, KEYTURN_USER, type Running, runAs } from '../support/other-user.ts';
import { MAPPING, openScenario, type Scenario } from '../support/scenario.ts';

const ROTATIONS = 100;
const STORE = resolve(import.meta.dirname, '../../dist/src/secret-store/file/file-store.js');

interface Seen {
  readonly username?: string;
  readonly password?: string;
  /** What the plain name gave, without resolving `..data` first. */
  readonly plain?: string;
  readonly reads?: number;
  readonly failed?: string;
}

/** Reads the pair all the while, as docs/consumers.md says, and the password by its name. Says what is new. */
const reader = (folder: string) => `
  const { readFile, realpath } = await import('node:fs/promises');
  const told = new Set();
  let reads = 0;
  const read = (path) => readFile(path, 'utf8');
  const news = (line) => { const text = JSON.stringify(line); if (!told.has(text)) { told.add(text); say(line); } };
  while (going) {
    try {
      const version = await realpath(${JSON.stringify(join(folder, 'app', '..data'))});
      const [username, password] = await Promise.all(['username', 'password'].map((name) => read(version + '/' + name)));
      news({ username, password });
      news({ plain: await read(${JSON.stringify(join(folder, 'app', 'password'))}) });
      reads += 1;
    } catch (error) { news({ failed: error.message }); }
    await new Promise((next) => setTimeout(next, 2));
  }
  say({ reads });`;

/** Tries all the while to read each file that has a name in the folder of the secrets. Says what it got. */
const outsider = (folder: string) => `
  const { readFile, readdir } = await import('node:fs/promises');
  let reads = 0;
  const app = ${JSON.stringify(join(folder, 'app'))};
  say({ reads });
  while (going) {
    for (const name of await readdir(app)) {
      for (const path of [name, name + '/username', name + '/password']) {
        await readFile(app + '/' + path).then(() => say({ failed: path }), () => { reads += 1; });
      }
    }
    await new Promise((next) => setTimeout(next, 2));
  }
  say({ reads });`;

/** A store whose folders everybody may enter, so that nothing but the rights of each version protects it. */
async function openShared(scenario: Scenario): Promise<{ shared: Scenario; folder: string }> {
  const folder = join(scenario.folder, 'shared');
  await mkdir(join(folder, 'app'), { recursive: true });
  for (const path of [scenario.folder, folder, join(folder, 'app')]) await chmod(path, 0o755);
  const store = openFileStore({ name: 'files', path: folder, group: String(GROUP) });
  const destination = { name: 'files (primary)', store, create: true, secrets: MAPPING };
  return { shared: scenario.with({ destinations: [destination] }), folder };
}

test.skipIf(!isRoot)(
  `a member of the group reads the whole credential through ${ROTATIONS} rotations, and nobody else any of it (as root) (G1)(G3)`,
  { timeout: 600_000 },
  async () => {
    await using scenario = await openScenario(inject('postgres'), {
      policy: { drain: { grace: 0, timeout: 60_000, onTimeout: 'terminate' } },
    });
    const { shared, folder } = await openShared(scenario);
    const published = new Set<string>();
    const rotate = async () => {
      expect(await shared.finish(await shared.request())).toEqual({ status: 'done' });
      const { username, password } = await shared.published();
      published.add(JSON.stringify({ username, password }));
      return password;
    };
    await rotate();
    await using consumer = runAs<Seen>({ uid: CONSUMER, gid: CONSUMER, groups: [GROUP] }, reader(folder));
    await using stranger = runAs<Seen>({ uid: CONSUMER + 1, gid: CONSUMER + 1 }, outsider(folder));
    await stranger.until(({ reads }) => reads === 0);
    for (let number = 1; number <= ROTATIONS; number += 1) {
      const now = await rotate();
      await seenBy(consumer, now);
    }
    await readAll(consumer, published);
    await stranger.stop();
    expect(stranger.lines.filter(({ failed }) => failed)).toEqual([]);
    expect(stranger.lines.at(-1)?.reads).toBeGreaterThan(ROTATIONS);
  },
);

/**
 * Resolves once a reader has seen a password in both ways. So no read spans more than one rotation,
 * as that of no consumer does, and none is over before the reader looked.
 */
async function seenBy(consumer: Running<Seen>, published: string | undefined): Promise<void> {
  await consumer.until(({ password, failed }) => password === published || failed !== undefined);
  await consumer.until(({ plain, failed }) => plain === published || failed !== undefined);
}

/** Ends a reader, and expects that it read nothing but what was published, and all of that. */
async function readAll(consumer: Running<Seen>, published: ReadonlySet<string>): Promise<void> {
  await consumer.stop();
  expect(consumer.lines.filter(({ failed }) => failed)).toEqual([]);
  const pairs = consumer.lines
    .filter(({ username }) => username !== undefined)
    .map((pair) => JSON.stringify(pair));
  expect(new Set(pairs)).toEqual(published);
  const passwords = [...published].map((pair) => JSON.parse(pair).password);
  const plain = consumer.lines.flatMap((line) => line.plain ?? []);
  expect(new Set(plain)).toEqual(new Set(passwords));
  expect(consumer.lines.at(-1)?.reads).toBeGreaterThan(published.size);
}

test.skipIf(!isRoot)(
  'keyturn needs not be root: it is enough that its user is a member of the group (as root, to become both users)',
  { timeout: 120_000 },
  async () => {
    await using scenario = await openScenario(inject('postgres'));
    const folder = join(scenario.folder, 'shared');
    await chmod(scenario.folder, 0o777);
    await using keyturn = runAs<Seen>(
      { uid: KEYTURN_USER, gid: KEYTURN_USER, groups: [GROUP] },
      `const { openFileStore } = await import(${JSON.stringify(STORE)});
       const { randomUUID } = await import('node:crypto');
       const store = openFileStore({ name: 'files', path: ${JSON.stringify(folder)}, group: '${GROUP}' });
       const mapping = ${JSON.stringify(MAPPING)};
       for (let number = 1; going && number <= ${ROTATIONS}; number += 1) {
         const token = randomUUID();
         const [username, password] = ['user-' + number, 'password-' + number];
         await store.stage(mapping, token, { username, password }, { create: true });
         await store.promote(mapping, token);
         const asked = new Promise((next) => process.once('SIGUSR2', next));
         say({ username, password });
         await asked;
       }
       process.exit();`,
    );
    await keyturn.until(({ username }) => username === 'user-1');
    await using consumer = runAs<Seen>({ uid: CONSUMER, gid: GROUP }, reader(folder));
    for (let number = 1; number <= ROTATIONS; number += 1) {
      const { password } = await keyturn.until(({ username }) => username === `user-${number}`);
      await seenBy(consumer, password);
      keyturn.signal('SIGUSR2');
    }
    await readAll(consumer, new Set(keyturn.lines.map((line) => JSON.stringify(line))));
  },
);
