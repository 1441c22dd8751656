import { randomUUID } from 'node:crypto';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Event, Rotation, StepName } from '../../src/ledger/rotation.ts';
import { tellError } from '../../src/messages/tell.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { operatorOf } from '../support/named-commands.ts';
import { publishOutside } from '../support/outside.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

/** Where a rotation is when something happens to it. */
const PLACES = {
  'after check': ['stage', 'started'],
  'after stage': ['set', 'started'],
  'after set': ['verify', 'started'],
  'after verify': ['publish', 'started'],
  'promoted, not recorded': ['publish', 'done'],
  draining: ['drain', 'started'],
  'before revoke': ['revoke', 'started'],
} as const satisfies Record<string, readonly [StepName, Event['kind']]>;
type Place = keyof typeof PLACES;
const ALL = Object.keys(PLACES) as Place[];
const SET = ALL.slice(ALL.indexOf('after set'));
const PUBLISHED = ALL.slice(ALL.indexOf('promoted, not recorded'));

interface World {
  readonly scenario: Scenario;
  readonly rotation: Rotation;
  readonly incoming: string;
  readonly outgoing: string;
}

const alter =
  (who: 'incoming' | 'outgoing', clause: string) =>
  async ({ scenario, ...world }: World) => {
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(world[who])} ${clause}`);
  };
const drop =
  (who: 'incoming' | 'outgoing') =>
  async ({ scenario, ...world }: World) => {
    await scenario.admin.query(`DROP ROLE ${quoteIdentifier(world[who])}`);
  };
const secretsIn = ({ folder }: Scenario) => join(folder, 'app');

/** What may happen, and where it can. */
const FAULTS: Readonly<Record<string, readonly [readonly Place[], (world: World) => Promise<unknown>]>> = {
  'its ALTER ROLE is lost': [SET, alter('incoming', 'NOLOGIN PASSWORD NULL')],
  'the password is changed': [SET, alter('incoming', "PASSWORD 'another'")],
  'the incoming login is NOLOGIN': [SET, alter('incoming', 'NOLOGIN')],
  'the incoming login expires': [SET, alter('incoming', "VALID UNTIL '2001-01-01'")],
  'the incoming login has CONNECTION LIMIT 0': [SET, alter('incoming', 'CONNECTION LIMIT 0')],
  'the incoming login is dropped': [ALL, drop('incoming')],
  'the outgoing login is dropped': [ALL, drop('outgoing')],
  'the outgoing login is NOLOGIN': [ALL, alter('outgoing', 'NOLOGIN')],
  'the pending version is lost': [
    ['after stage', 'after set', 'after verify'],
    async ({ scenario: { store, destinations }, rotation }) =>
      store.discard(destinations[0].secrets, rotation.id),
  ],
  'what is published is altered in its place': [
    PUBLISHED,
    ({ scenario }) => appendFile(join(secretsIn(scenario), 'password'), 'x'),
  ],
  'the secret is deleted': [ALL, ({ scenario }) => rm(secretsIn(scenario), { recursive: true })],
  'somebody publishes another login': [
    ALL,
    ({ scenario }) => publishOutside(scenario, { username: 'somebody', password: 'theirs' }),
  ],
  'somebody publishes a wrong password of the incoming login': [
    ALL,
    ({ scenario, incoming }) => publishOutside(scenario, { username: incoming, password: 'wrong' }),
  ],
  'somebody publishes a wrong password of the outgoing login': [
    ALL,
    ({ scenario, outgoing }) => publishOutside(scenario, { username: outgoing, password: 'wrong' }),
  ],
  'the ledger is restored from before the rotation, and the roles are not': [
    ALL,
    async ({ scenario, rotation }) => {
      await scenario.admin.query('DELETE FROM keyturn.event WHERE rotation = $1', [rotation.id]);
      await scenario.admin.query('DELETE FROM keyturn.rotation WHERE id = $1', [rotation.id]);
    },
  ],
  'ledger and roles are restored from before the rotation': [
    SET,
    async (world) => {
      const { scenario, rotation } = world;
      await alter('incoming', 'NOLOGIN PASSWORD NULL')(world);
      await scenario.admin.query('DELETE FROM keyturn.event WHERE rotation = $1', [rotation.id]);
      await scenario.admin.query('DELETE FROM keyturn.rotation WHERE id = $1', [rotation.id]);
    },
  ],
  'ledger and roles are restored from right after its request': [
    SET,
    async (world) => {
      const { scenario, rotation } = world;
      await alter('incoming', 'NOLOGIN PASSWORD NULL')(world);
      await scenario.admin.query('DELETE FROM keyturn.event WHERE rotation = $1', [rotation.id]);
      await scenario.admin.query(
        `UPDATE keyturn.rotation SET incoming = NULL, outgoing = NULL, published_at = NULL, set_begun_at = NULL,
                publish_begun_at = NULL, replicas_behind_since = NULL, outgoing_shut_at = NULL, last_look_at = NULL
          WHERE id = $1`,
        [rotation.id],
      );
    },
  ],
};

/** What somebody tries first, though nothing names it. Each meets each place and each fault; all three together with KEYTURN_WALK=all. */
const TRIED = [undefined, 'rotate', 'rotate --adopt', 'rotate --emergency', 'cancel', 'rollback'] as const;

const COMBINATIONS = Object.entries(FAULTS).flatMap(([fault, [places, inflict]], row) =>
  places.flatMap((place, column) =>
    TRIED.filter(
      (_, index) => process.env.KEYTURN_WALK === 'all' || index === (row + column) % TRIED.length,
    ).map((tried) => ({ fault, place, inflict, tried })),
  ),
);

const PATIENCE = 5;

let opened: Scenario;
beforeAll(async () => {
  opened = await openScenario(inject('postgres'));
});
afterAll(() => opened[Symbol.asyncDispose]());

test.each(COMBINATIONS)(
  '$place, $fault, and somebody tries $tried: what status and doctor name ends it (G1, G5)',
  async ({ place, inflict, tried }) => {
    await using own = await ownPolicy();
    const { scenario, work, carryOut, named, isWell } = operatorOf(own.scenario);
    await work(await scenario.request());
    const [step, kind] = PLACES[place];
    const rotation = await scenario.request();
    const before = await scenario.published();
    const session = step === 'drain' ? await scenario.logIn(before) : undefined;
    const dying = scenario.with({ ledger: dyingWith(scenario.ledger, step, kind) });
    await expect(dying.run(rotation)).rejects.toThrow(GONE);
    await session?.[Symbol.asyncDispose]();
    const row = await scenario.ledger.find(rotation.id);
    const incoming = row?.incoming ?? '';
    const outgoing = row?.outgoing ?? '';
    await inflict({ scenario, rotation, incoming, outgoing });

    const log: string[] = [];
    const attempt = async (command: string) => {
      const end = await carryOut(command).then(
        () => 'carried out',
        (error: Error) => tellError(error),
      );
      log.push(`${command}: ${end}`);
    };
    if (tried) await attempt(tried);
    const [open] = await scenario.ledger.open(scenario.policy.name);
    if (open) await work(open);
    for (let round = 0; round < PATIENCE && !(await isWell()); round += 1) {
      const commands = await named();
      log.push(`named: ${commands.join(', ')}`);
      for (const command of commands) {
        await attempt(command);
        if (await isWell()) break;
      }
    }
    expect(await isWell(), log.join('\n')).toBe(true);
  },
);

/** A policy with logins and secrets of its own, in the database that all share. */
async function ownPolicy(): Promise<AsyncDisposable & { readonly scenario: Scenario }> {
  const id = randomUUID().slice(0, 8);
  const logins: [string, string] = [`walk_${id}_a`, `walk_${id}_b`];
  for (const login of logins) await opened.admin.query(`CREATE ROLE ${login} NOLOGIN`);
  return {
    scenario: opened.with({ policy: { ...opened.policy, name: `walk-${id}`, logins } }),
    async [Symbol.asyncDispose]() {
      await rm(secretsIn(opened), { recursive: true, force: true });
      for (const login of logins) await opened.admin.query(`DROP ROLE IF EXISTS ${login}`);
    },
  };
}
