import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { rotateJob } from '../../jobs/rotate.ts';
import { type Event, STEP_NAMES, type StepName } from '../../src/ledger/rotation.ts';
import { openQueue } from '../../src/queue/queue.ts';
import type { RotationQueue } from '../../src/queue/rotation-queue.ts';
import { openAwsSecretsManagerStore } from '../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';
import { MAPPING, openScenario, type Scenario, type ServerAddress } from '../support/scenario.ts';
import { storeWith } from '../support/store-with.ts';
import { uniqueName } from '../support/unique-name.ts';

// Every two of version, store and queue meet. All three together would take twice as long and show nothing more: what a
// step does depends on two of them at most.
const SERVERS = [
  ['PostgreSQL 18', undefined, true, QUEUE_BACKENDS],
  ['PostgreSQL 14', 14, haveOlderVersions, QUEUE_BACKENDS.toReversed()],
] as const;
const STORES = [
  ['a file store', undefined, true],
  ['AWS Secrets Manager', inject('aws'), inject('aws') !== undefined],
] as const;

describe.each(SERVERS)('on %s', (_server, version, haveServer, queues) => {
  let started: PostgresServer | undefined;
  let server: ServerAddress;
  beforeAll(async () => {
    if (version && haveServer) started = await startPostgres({ version });
    server = started ?? inject('postgres');
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  const pairs = queues.flatMap(([queue, open, haveQueue], index) =>
    STORES.slice(index, index + 1).map(
      ([name, endpoint, haveStore]) => [name, queue, endpoint, open, haveStore && haveQueue] as const,
    ),
  );
  describe.each(pairs)('with %s and the queue on %s', (_store, _queue, endpoint, openPlace, available) => {
    const it = test.skipIf(!(haveServer && available));
    let scenario: Scenario;
    let store: SecretStore;
    let place: QueuePlace;
    let queue: RotationQueue;
    let worker: { close(): Promise<void> };
    let staged: Set<string>;

    beforeEach(async () => {
      if (!(haveServer && available)) return;
      place = await openPlace();
      const opened = await openScenario(server);
      const folder = uniqueName('crash');
      store = endpoint
        ? openAwsSecretsManagerStore({ name: 'aws', region: 'eu-central-1', endpoint })
        : opened.store;
      const secrets = endpoint
        ? { username: { secret: `${folder}/username` }, password: { secret: `${folder}/password` } }
        : MAPPING;
      staged = new Set();
      const watched = storeWith(store, {
        async stage(mapping, token, fields, options) {
          if (fields.password) staged.add(fields.password);
          return store.stage(mapping, token, fields, options);
        },
      });
      scenario = opened.with({
        destinations: [{ name: 'primary', store: watched, create: true, secrets }],
      });
      const log = pino({ level: 'silent' });
      queue = openQueue(place.backend, { nextSlot: async () => undefined, onFault: () => {} });
      worker = await queue.work({
        rotate: rotateJob({
          ledger: scenario.ledger,
          log,
          isConfigured: () => true,
          isEdited: () => false,
          refresh: async () => true,
          place: { host: 'ops-1', config: 'config' },
          openRun: async (rotation) => scenario.context(rotation),
          onSettled: async () => {},
        }),
        slot: async () => {},
        sweep: async () => {},
        deliver: async () => {},
      });
    });
    afterEach(async () => {
      if (!(haveServer && available)) return;
      await worker.close();
      await queue.close();
      await scenario[Symbol.asyncDispose]();
      await store.close();
      await place[Symbol.asyncDispose]();
    });

    async function finish(id: string): Promise<void> {
      await queue.enqueue({ id, policy: scenario.policy.name });
      const status = async () => (await scenario.ledger.find(id))?.status;
      await expect.poll(status).toBe('done');
    }

    it.each(
      STEP_NAMES.flatMap((step) => [
        [step, 'started', 'right before its effect'],
        [step, 'done', 'right after its effect and before that is recorded'],
      ]) as [StepName, Event['kind'], string][],
    )('stopped at %s, $2, a rotation ends as done with one new password (G1, G2, G4)', async (step, when) => {
      await finish((await scenario.request()).id);
      const before = await scenario.published();
      staged.clear();
      const rotation = await scenario.request();
      const dying = scenario.with({ ledger: dyingWith(scenario.ledger, step, when) });
      // A drain without sessions has nothing to do, so it does not start.
      const session = step === 'drain' && when === 'started' ? await scenario.logIn(before) : undefined;
      const ran = await dying.finish(rotation).catch((error: Error) => error.message);
      expect(ran).toBe(GONE);
      // Whatever is published at this instant logs in.
      await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
      await session?.[Symbol.asyncDispose]();

      await finish(rotation.id);
      const after = await scenario.published();
      expect(after.username).not.toBe(before.username);
      expect([...staged]).toEqual([after.password]);
      await (await scenario.logIn(after))[Symbol.asyncDispose]();
      await expect(scenario.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
      const events = await scenario.ledger.events([rotation.id]);
      expect(events.filter(({ kind }) => kind === 'done').map((event) => event.step)).toEqual(STEP_NAMES);
    });
  });
});
