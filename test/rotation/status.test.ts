import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { sql } from '../../src/facts/remedy.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { type PolicyStatus, policyStatus } from '../../src/rotation/status.ts';
import { openAwsScenario } from '../support/aws-scenario.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import type { Scenario } from '../support/scenario.ts';
import { storeWith } from '../support/store-with.ts';

const GRACE_MS = 60_000;

let whole: Awaited<ReturnType<typeof openAwsScenario>>;
let scenario: Scenario;
let rotator: string;
let now: number;

/** Its faults are all that it tells: why the rotation is tried again, and what else is wrong now. */
async function statusOf(from: Scenario): Promise<PolicyStatus> {
  const status = await readStatus(from);
  const last = status.lastFailure?.fault;
  return {
    ...status,
    faults: [...(last ? [last] : []), ...status.faults.filter(({ code }) => code !== last?.code)],
  };
}

async function readStatus(from: Scenario): Promise<PolicyStatus> {
  const { ledger, policy } = from;
  const rotation = await ledger.summary([policy.name]);
  const last = rotation.get(policy.name)?.last;
  await using context = from.context(last as Rotation);
  return await policyStatus(policy, rotation.get(policy.name), {
    timing: await ledger.timing(policy.name),
    context,
  });
}

/** Runs a rotation on, each run at the instant that the one before named, until it is over or waits for its grace. */
async function runOn(from: Scenario, rotation: Rotation, { to }: { to: 'grace' | 'end' }) {
  for (;;) {
    const outcome = await from.run(rotation);
    if (!('until' in outcome)) return outcome;
    if (to === 'grace' && outcome.status === 'waiting' && outcome.fact.code === 'drain-grace') return outcome;
    now = Math.max(now + 1, outcome.until);
  }
}

interface Outage {
  readonly begin?: () => Promise<unknown>;
  readonly end?: () => Promise<unknown>;
  /** What is told of it: before a rotation is published, and after that. */
  readonly tells: (isPublished: boolean) => object[];
  /** Whether a rotation that is not published yet is tried again; one that a person must mend is given up. */
  readonly passes: boolean;
  /** The configuration in force meanwhile. */
  readonly from?: () => Scenario;
}

/** What is told of AWS: once a rotation is published, also that its destination is not known. */
function awsFault(code: string, error: string) {
  const params = { store: 'aws', action: 'GetSecretValue', detail: expect.stringContaining(error) };
  const destinations = [
    { destination: 'aws (primary)', has: 'unknown', login: null },
    { destination: 'files (destination 2)', has: 'login' },
  ];
  const partial = { code: 'published-in-part', params: { destinations } };
  return (isPublished: boolean) => [{ code, params }, ...(isPublished ? [partial] : [])];
}

const OUTAGES: Record<string, Outage> = {
  // outage.test.ts stops a real one; here the ledger is on it, too.
  'PostgreSQL is down': {
    from: () => scenario.with({ connection: { ...scenario.connection, port: 1 } }),
    tells: () => [
      {
        code: 'server-unreachable',
        params: { place: expect.stringMatching(/:1\//), detail: expect.stringContaining('ECONNREFUSED') },
      },
    ],
    passes: true,
  },
  'the rotator has another password': {
    begin: () => whole.admin.query(`ALTER ROLE ${rotator} PASSWORD 'changed'`),
    end: () => whole.admin.query(`ALTER ROLE ${rotator} PASSWORD 'rotator-password'`),
    tells: () => [
      {
        code: 'login-refused',
        params: { place: expect.stringContaining(`${rotator}@`), because: 'password' },
      },
    ],
    passes: false,
  },
  'the rotator lost the right to see sessions': {
    begin: () => whole.admin.query(`REVOKE pg_read_all_stats FROM ${rotator}`),
    end: () => whole.admin.query(`GRANT pg_read_all_stats TO ${rotator}`),
    tells: (isPublished) => {
      const remedies = [sql(`GRANT pg_read_all_stats TO ${rotator}`)];
      const hidden = { code: 'sessions-hidden', remedies };
      return isPublished ? [hidden] : [{ code: 'check-refused', remedies }, hidden];
    },
    passes: false,
  },
  'the server has no TLS': {
    from: () => scenario.with({ connection: { ...scenario.connection, tls: { mode: 'verify-full' } } }),
    tells: () => [{ code: 'server-has-no-tls' }],
    passes: false,
  },
  'AWS is down': {
    begin: async () => whole.aws.fail('error'),
    end: async () => whole.aws.mend(),
    tells: awsFault('store-unreachable', 'InternalServiceError'),
    passes: true,
  },
  'AWS is throttling': {
    begin: async () => whole.aws.fail('throttle'),
    end: async () => whole.aws.mend(),
    tells: awsFault('store-throttled', 'ThrottlingException'),
    passes: true,
  },
  'AWS denies access': {
    begin: async () => whole.aws.fail('deny'),
    end: async () => whole.aws.mend(),
    tells: awsFault('store-denied', 'AccessDeniedException'),
    passes: false,
  },
};

describe.skipIf(!inject('aws'))('status', () => {
  beforeEach(async () => {
    now = Date.now();
    whole = await openAwsScenario(inject('postgres'));
    const limited = await withLimitedRotator(whole);
    rotator = limited.rotator;
    // withLimitedRotator drops its role first, which the scenario's own logins do not hinder.
    const drop = limited[Symbol.asyncDispose];
    scenario = {
      ...limited.limited.with({
        clock: { now: () => now },
        policy: {
          ...whole.policy,
          drain: { grace: GRACE_MS, timeout: GRACE_MS + 1, onTimeout: 'terminate' },
        },
      }),
      async [Symbol.asyncDispose]() {
        await drop();
        await whole[Symbol.asyncDispose]();
      },
    };
    await runOn(scenario, await scenario.request(), { to: 'end' });
  });
  afterEach(() => scenario[Symbol.asyncDispose]());

  test.each(Object.entries(OUTAGES))(
    'tells that %s, and what to do, after one try: before publish and after it (G5)',
    async (_name, { begin, end, tells, passes, from = () => scenario }) => {
      const before = await scenario.published();
      const early = await scenario.request();
      await begin?.();
      await from().run(early);
      expect(await statusOf(from())).toMatchObject({
        state: passes ? 'retrying' : 'failed',
        faults: tells(false),
      });
      await end?.();
      expect(await scenario.published()).toEqual(before);
      if (passes) expect(await runOn(scenario, early, { to: 'end' })).toEqual({ status: 'done' });

      now = Date.now();
      const late = await scenario.request();
      await runOn(scenario, late, { to: 'grace' });
      await begin?.();
      await from().run(late);
      expect(await statusOf(from())).toMatchObject({
        state: 'retrying',
        faults: tells(true),
      });
      await end?.();
      expect(await runOn(scenario, late, { to: 'end' })).toEqual({ status: 'done' });
      expect(await statusOf(scenario)).toMatchObject({ state: 'active', faults: [] });
    },
  );

  test('tells which destination is behind while a publish has reached only some, and all follow (G1, G5)', async () => {
    const [a, b] = scenario.policy.logins;
    const before = await scenario.published();
    const rotation = await scenario.request();
    const [primary, files] = scenario.destinations;
    // It goes away when the files, which are published first, have been.
    const breaking = scenario.with({
      destinations: [
        primary,
        {
          ...(files as typeof primary),
          store: {
            ...primary.store,
            ...files?.store,
            async promote(...args) {
              await files?.store.promote(...args);
              whole.aws.fail('error');
            },
          } as typeof primary.store,
        },
      ],
    });
    await breaking.run(rotation);
    const partial = await statusOf(scenario);
    expect(partial).toMatchObject({ state: 'retrying', active: null });
    const inPart = (primary: { readonly has: 'login' | 'unknown'; readonly login: string | null }) =>
      fact('published-in-part', {
        destinations: [
          { destination: 'aws (primary)', ...primary },
          { destination: 'files (destination 2)', has: 'login', login: b },
        ],
      });
    expect(partial.faults).toMatchObject([
      { code: 'store-unreachable', params: { detail: expect.stringContaining('InternalServiceError') } },
      inPart({ has: 'unknown', login: null }),
    ]);
    await (await scenario.logIn(before))[Symbol.asyncDispose]();

    // Back, but not for a whole try.
    whole.aws.mend();
    expect((await statusOf(scenario)).faults).toContainEqual(inPart({ has: 'login', login: a }));
    for (let round = 0; round < 3; round += 1) {
      whole.aws.fail('error');
      expect(await scenario.run(rotation)).toMatchObject({ status: 'retrying' });
      whole.aws.mend();
    }
    await (await scenario.logIn(before))[Symbol.asyncDispose]();
    expect(await runOn(scenario, rotation, { to: 'end' })).toEqual({ status: 'done' });
    expect(await statusOf(scenario)).toMatchObject({ state: 'active', active: b, faults: [] });
    await expect(scenario.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  });

  test('says of a promotion that was applied but not answered that it is tried again, and it makes no second version (G4)', async () => {
    const rotation = await scenario.request();
    const [primary, files] = scenario.destinations;
    const lossy = scenario.with({
      destinations: [
        {
          ...primary,
          store: storeWith(primary.store, {
            async promote(...args) {
              whole.aws.fail('applied, but no answer');
              await primary.store.promote(...args).finally(() => whole.aws.mend());
            },
          }),
        },
        files as typeof primary,
      ],
    });
    await lossy.run(rotation);
    expect(await statusOf(scenario)).toMatchObject({
      state: 'retrying',
      faults: expect.arrayContaining([
        expect.objectContaining({
          code: 'store-unreachable',
          params: expect.objectContaining({ store: 'aws', detail: 'ECONNRESET' }),
        }),
      ]),
    });
    const current = await primary.store.read(primary.secrets, 'current');
    expect(await runOn(scenario, rotation, { to: 'end' })).toEqual({ status: 'done' });
    const after = await primary.store.read(primary.secrets, 'current');
    expect(after).toMatchObject({ token: rotation.id });
    if (current?.token === rotation.id) expect(after).toEqual(current);
    expect(await primary.store.read(primary.secrets, 'pending')).toBeUndefined();
    await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
  });
});
