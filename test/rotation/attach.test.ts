import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { attach } from '../../src/rotation/attach.ts';
import { detach } from '../../src/rotation/detach.ts';
import { draining } from '../support/draining.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
});
afterEach(() => scenario[Symbol.asyncDispose]());

const SECRETS = { userlist: { secret: 'pool/userlist.txt' } };
const parts = () => {
  const [primary] = scenario.destinations;
  const destination = { ...primary, name: 'files (destination 2)', secrets: SECRETS };
  const requester = { requestedBy: 'ops', requestedHost: 'ops-1', requestedReason: null };
  return { ledger: scenario.ledger, requester, destination, commit: vi.fn(async () => {}) };
};
const recorded = async () => {
  const actions = await scenario.ledger.actions.latest({ policy: scenario.policy.name, limit: 10 });
  return actions.toReversed().map(({ kind, status, fact }) => `${kind} ${status}: ${fact?.code}`);
};
const written = () => scenario.store.read(SECRETS, 'current');

test('what is attached has the very version that is published, with the verifier that PostgreSQL has', async () => {
  await using view = scenario.preview();
  const given = parts();
  const { username } = await scenario.published();
  expect(await attach(view, given)).toBe(username);
  expect(given.commit).toHaveBeenCalledTimes(1);
  const { rows } = await scenario.admin.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
    username,
  ]);
  expect((await written())?.fields.userlist).toBe(`"${username}" "${rows[0].rolpassword}"\n`);
  expect(await recorded()).toEqual(['attach done: attachment-published']);
});

test('while a rotation is open nothing is attached or detached, and the configuration stays', async () => {
  const slow = draining(scenario, { grace: 60_000 });
  expect(await slow.run(await slow.request())).toHaveProperty('until');
  await using view = scenario.preview();
  const given = parts();
  const refused = { fact: { code: 'attachment-during-rotation' } };
  await expect(attach(view, given)).rejects.toMatchObject(refused);
  await expect(detach(view, { ...given, deletes: true })).rejects.toMatchObject(refused);
  expect(given.commit).not.toHaveBeenCalled();
  expect(await written()).toBeUndefined();
  expect(await recorded()).toEqual([]);
});

test('a credential that does not log in is published nowhere else (G1)', async () => {
  const { username } = await scenario.published();
  await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(username)} PASSWORD 'another'`);
  await using view = scenario.preview();
  const given = parts();
  await expect(attach(view, given)).rejects.toMatchObject({ fact: { code: 'password-refused' } });
  expect(given.commit).not.toHaveBeenCalled();
  expect(await written()).toBeUndefined();
});

test('attaching again after a kill goes on, and secrets that cannot be deleted are named', async () => {
  await using view = scenario.preview();
  const given = parts();
  given.commit.mockRejectedValueOnce(new Error('killed'));
  await expect(attach(view, given)).rejects.toThrow('killed');
  expect(await attach(view, given)).toBeDefined();
  given.destination.store = new Proxy(scenario.store, {
    get: (store, verb) =>
      verb === 'remove' ? () => Promise.reject(new Error('away')) : Reflect.get(store, verb),
  });
  await expect(detach(view, { ...given, deletes: true })).rejects.toMatchObject({
    fact: { code: 'detached-secrets-left', params: { secrets: ['pool/userlist.txt'] } },
  });
  expect(await recorded()).toEqual([
    'attach failed: unexpected',
    'attach done: attachment-published',
    'detach failed: detached-secrets-left',
  ]);
});
