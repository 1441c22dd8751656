import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { stagedCredential } from '../../src/rotation/context/staged-credential.ts';
import type { Outcome } from '../../src/rotation/rotate.ts';
import { openAwsScenario } from '../support/aws-scenario.ts';
import { openTestLedger } from '../support/ledger.ts';
import { onLine } from '../support/on-line.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

const ROUNDS = 6;

const STORES = [
  ['files', openScenario, true],
  ['AWS Secrets Manager', openAwsScenario, inject('aws') !== undefined],
] as const;

describe.each(STORES)('two workers with separate queues, publishing to %s,', (_store, open, available) => {
  const it = test.skipIf(!available);
  let scenario: Scenario;
  beforeEach(async () => {
    if (!available) return;
    scenario = await open(inject('postgres'));
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  });
  afterEach(() => scenario?.[Symbol.asyncDispose]());

  /** Logs in with what is published for as long as the work lasts; returns how often that was refused, and tried. */
  async function watch(work: Promise<unknown>): Promise<{ refused: unknown[]; tried: number }> {
    let going = true;
    const over = work.finally(() => {
      going = false;
    });
    const refused: unknown[] = [];
    let tried = 0;
    while (going) {
      const read = await scenario.published();
      try {
        await (await scenario.logIn(read))[Symbol.asyncDispose]();
      } catch (error) {
        // There is no grace here: what was replaced since it was read may be refused.
        if ((await scenario.published()).password === read.password) refused.push(error);
      }
      tried += 1;
      await sleep(5);
    }
    await over;
    return { refused, tried };
  }

  it('find what one of them promoted between two looks of the other (G4)', async () => {
    const rotation = await scenario.request();
    await using woken = scenario.context(rotation);
    await woken.read(woken.destinations[0], 'current');
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    woken.follow((await scenario.ledger.find(rotation.id)) ?? rotation);
    expect(await stagedCredential(woken)).toEqual(await scenario.published());
  });

  it('that run the same rotation at once end it once (G1, G4)', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const rotation = await scenario.request();
      const ends = Promise.all([scenario.finish(rotation), scenario.finish(rotation)]);
      expect((await watch(ends)).refused).toEqual([]);
      expect(await ends).toEqual([{ status: 'done' }, { status: 'done' }]);
      const { token } =
        (await scenario.destinations[0].store.read(scenario.destinations[0].secrets, 'current')) ?? {};
      expect(token).toBe(rotation.id);
    }
  });

  it.each(['stage', 'verify', 'drain', 'revoke'] as const)(
    'that know nothing of each other, one held up at %s, never publish what does not log in (G1, G2)',
    async (step) => {
      await using elsewhere = await openTestLedger(inject('postgres'), systemClock);
      const rival = heldAt('stage', scenario.with({ ledger: elsewhere.ledger }));
      const own = heldAt(step, scenario);
      // Before publish it is past its check when the other begins, so that neither finds the other's version pending;
      // after it, it finds the other's login published and wants the one that is about to be revoked.
      const order = ['drain', 'revoke'].includes(step) ? [own, rival] : [rival, own];
      const ends: Promise<Outcome>[] = [];
      for (const one of order) {
        ends.push(one.scenario.request().then(one.scenario.finish));
        await one.isHeld;
      }
      const { refused, tried } = await watch(
        (async () => {
          rival.goOn();
          await ends[order.indexOf(rival)];
          own.goOn();
          await Promise.all(ends);
        })(),
      );
      expect(refused).toEqual([]);
      expect(tried).toBeGreaterThan(0);
      expect((await Promise.all(ends)).map(({ status }) => status)).toContain('done');
      await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
      // Whatever became of the two, the next one goes through.
      expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
    },
  );
});

/**
 * A worker that stands still when it is at a step for the first time, until it is told to go on. Where the step
 * begins a lock, that is right before it takes it.
 */
function heldAt(step: 'stage' | 'verify' | 'drain' | 'revoke', from: Scenario) {
  let goOn = () => {};
  let hold = () => {};
  const free = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const isHeld = new Promise<void>((resolve) => {
    hold = resolve;
  });
  const wait = async () => {
    hold();
    await free;
  };
  let locks = ['stage', 'verify'].indexOf(step) + 1;
  const scenario = from.with({
    beforeLock: () => (--locks === 0 ? wait() : undefined),
    ledger: onLine(from.ledger, {
      after: ({ step: name }) => (name === step && locks < 0 ? wait() : undefined),
    }),
  });
  return { scenario, isHeld, goOn };
}
