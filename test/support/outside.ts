import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { outsideChanges } from '../../src/rotation/outside-changes/outside-changes.ts';
import type { Fields } from '../../src/secret-store/secret-store.ts';
import { type Warning, warningsOf } from './draining.ts';
import type { Scenario } from './scenario.ts';

/** Puts a version into the primary as somebody else would, with a token that the ledger does not know, and returns that. */
export async function publishOutside(scenario: Scenario, fields: Fields): Promise<string> {
  const token = await stageOutside(scenario, fields);
  const [{ store, secrets }] = scenario.destinations;
  await store.promote(secrets, token);
  return token;
}

export async function stageOutside(scenario: Scenario, fields: Fields): Promise<string> {
  const token = randomUUID();
  const [{ store, secrets }] = scenario.destinations;
  await store.stage(secrets, token, fields, { create: true });
  return token;
}

/** What a rotation would find changed in the stores now, by codes: `!` marks what it stops at. */
export async function changesOf(scenario: Scenario): Promise<string[]> {
  await using preview = scenario.preview();
  const changes = await outsideChanges(preview);
  return changes.map(({ found, effect, stops }) => `${stops ? '!' : ''}${found.code}: ${effect.code}`);
}

/** Expects a rotation to be refused by `check`, and nothing to have changed; returns why. */
export async function expectRefusal(scenario: Scenario, rotation: Rotation): Promise<Fact> {
  const before = await world(scenario);
  const outcome = await scenario.finish(rotation);
  expect(outcome).toMatchObject({ status: 'failed', error: { step: 'check' } });
  expect(await world(scenario)).toEqual(before);
  if (outcome.status !== 'failed') throw new Error('it was not refused');
  return outcome.error.fact;
}

/** Expects a rotation that adopts to be done, its credential to log in, and all to go on as usual; returns its warnings. */
export async function expectAdoption(scenario: Scenario): Promise<readonly Warning[]> {
  const rotation = await requestAdoption(scenario);
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  const { incoming, outgoing } = (await scenario.ledger.find(rotation.id)) ?? {};
  const adopted = await scenario.published();
  expect(adopted.username).toBe(incoming);
  await (await scenario.logIn(adopted))[Symbol.asyncDispose]();
  const [{ store, secrets }] = scenario.destinations;
  expect(await store.read(secrets, 'pending')).toBeUndefined();
  const warnings = await warningsOf(scenario, rotation);
  const next = await scenario.request();
  expect(await scenario.finish(next)).toEqual({ status: 'done' });
  expect(await warningsOf(scenario, next)).toEqual([]);
  const after = await scenario.published();
  expect(after.username).toBe(outgoing);
  await (await scenario.logIn(after))[Symbol.asyncDispose]();
  return warnings;
}

export async function requestAdoption({ ledger, policy }: Scenario): Promise<Rotation> {
  const rotation = await ledger.request({
    id: randomUUID(),
    policy: policy.name,
    reason: 'manual',
    requestedBy: 'test',
    adopt: true,
  });
  if (!rotation) throw new Error('no rotation was opened');
  return rotation;
}

/** Roles and secrets, as they are. */
async function world({ admin, policy, destinations }: Scenario): Promise<unknown> {
  const { rows } = await admin.query(
    'SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname = ANY ($1) ORDER BY 1',
    [policy.logins],
  );
  const versions = destinations.flatMap(({ store, secrets }) =>
    (['current', 'pending', 'previous'] as const).map((stage) => store.read(secrets, stage)),
  );
  return { rows, versions: await Promise.all(versions) };
}
