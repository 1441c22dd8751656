import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { command } from '../../src/facts/remedy.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { canLogIn, warningsOf } from '../support/draining.ts';
import { adoptionNeeded, checkRefused, outsideChange } from '../support/expected-facts.ts';
import {
  changesOf,
  expectAdoption,
  expectRefusal,
  publishOutside,
  requestAdoption,
  stageOutside,
} from '../support/outside.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { SECRET_PLACES, type SecretPlace } from '../support/secret-places.ts';

describe.each(SECRET_PLACES)('in %s,', (_name, openPlace, available) => {
  const it = test.skipIf(!available);
  let scenario: Scenario;
  let place: SecretPlace;
  beforeEach(async () => {
    const opened = await openScenario(inject('postgres'));
    place = openPlace(opened);
    const { store, secrets } = place;
    scenario = opened.with({ destinations: [{ name: 'primary', store, create: true, secrets }] });
  });
  afterEach(async () => {
    await place.close();
    await scenario[Symbol.asyncDispose]();
  });

  const rotateOnce = async () => {
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  };
  const refusal = async () => expectRefusal(scenario, await scenario.request());
  const stopsAt = (change: Parameters<typeof outsideChange>[0]) =>
    adoptionNeeded(scenario.policy.name, change);
  const lastRotation = async () => {
    const [last] = await scenario.ledger.latest({ policy: scenario.policy.name, limit: 1 });
    return String(last?.id);
  };
  const pending = () => place.store.read(place.secrets, 'pending');
  const other = (username: string) => scenario.policy.logins.find((login) => login !== username) ?? '';
  const letIn = (login: string, password: string) =>
    scenario.admin.query(`ALTER ROLE ${quoteIdentifier(login)} LOGIN PASSWORD '${password}'`);

  describe('a pending version that this ledger did not stage', () => {
    const theirs = { username: 'theirs', password: 'of theirs' };

    it('stops a rotation (G5), and is discarded by one that adopts (G1)', async () => {
      await rotateOnce();
      const token = await stageOutside(scenario, theirs);
      expect(await changesOf(scenario)).toEqual(['!pending-version-unknown: effect-discards-pending']);
      const change = {
        found: {
          code: 'pending-version-unknown',
          params: { destination: 'primary', tokens: [token] },
        },
        effect: { code: 'effect-discards-pending' },
      };
      expect(await refusal()).toMatchObject(stopsAt(change));
      expect(await expectAdoption(scenario)).toMatchObject([outsideChange(change, { adopted: true })]);
      await expect(place.store.promote(place.secrets, token)).rejects.toMatchObject({
        fact: { code: 'version-not-promotable' },
      });
    });

    it('does so where it is of mixed origin, too', async () => {
      await rotateOnce();
      const tokens = [randomUUID(), randomUUID()] as const;
      const { username, password } = place.secrets;
      await place.store.stage({ username }, tokens[0], { username: 'theirs' }, { create: false });
      await place.store.stage({ password }, tokens[1], { password: 'of theirs' }, { create: false });
      expect(await pending()).toMatchObject({ token: undefined });
      expect(await refusal()).toMatchObject(
        stopsAt({
          found: { code: 'pending-version-unknown', params: { destination: 'primary', tokens } },
          effect: { code: 'effect-discards-pending' },
        }),
      );
      await expectAdoption(scenario);
      await expect(place.store.promote({ password }, tokens[1])).rejects.toMatchObject({
        fact: { code: 'version-not-promotable' },
      });
    });

    it('is left alone even by one that adopts, while the rotation that staged it is open', async () => {
      await rotateOnce();
      const colliding = scenario.with({ policy: { ...scenario.policy, name: `${scenario.policy.name}-2` } });
      const { id } = await colliding.request();
      await place.store.stage(place.secrets, id, theirs, { create: false });
      for (const rotation of [() => scenario.request(), () => requestAdoption(scenario)]) {
        expect(await expectRefusal(scenario, await rotation())).toEqual(
          fact(
            'pending-version-of-open-rotation',
            { destination: 'primary', rotation: id, policy: colliding.policy.name },
            command('status', colliding.policy.name),
          ),
        );
      }
      expect(await pending()).toMatchObject({ token: id });
    });
  });

  describe('a published username that is neither login', () => {
    it('stops a rotation (G5); one that adopts starts as a first one, and revokes nothing of it (G1)', async () => {
      await rotateOnce();
      const active = (await scenario.published()).username;
      await using session = await scenario.logIn(await scenario.published());
      await publishOutside(scenario, { username: 'somebody', password: 'of somebody' });
      expect(await changesOf(scenario)).toEqual(['!published-username-unknown: effect-as-first-rotation']);
      const change = {
        found: {
          code: 'published-username-unknown',
          params: { username: 'somebody', logins: scenario.policy.logins },
        },
        effect: { code: 'effect-as-first-rotation', params: { unrevoked: 'somebody' } },
      };
      expect(await refusal()).toMatchObject(stopsAt(change));
      // Nobody uses the other login; this one is waited for like any that goes out.
      const rotation = await requestAdoption(scenario);
      expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
      expect((await scenario.published()).username).toBe(other(active));
      await session[Symbol.asyncDispose]();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      expect(await warningsOf(scenario, rotation)).toMatchObject([outsideChange(change, { adopted: true })]);
      await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
      await rotateOnce();
    });

    it('is not adopted while both logins have sessions (G2)', async () => {
      await rotateOnce();
      await using _one = await scenario.logIn(await scenario.published());
      const standby = other((await scenario.published()).username);
      await letIn(standby, 'by hand');
      await using _two = await scenario.logIn({ username: standby, password: 'by hand' });
      await publishOutside(scenario, { username: 'somebody', password: 'of somebody' });
      expect(await expectRefusal(scenario, await requestAdoption(scenario))).toMatchObject(
        checkRefused({
          code: 'unpublished-logins-in-use',
          params: { destination: 'primary', logins: scenario.policy.logins },
        }),
      );
    });
  });

  describe('a current version that keyturn did not publish', () => {
    it('and that logs in is what a rotation goes on from, and its history tells (G1)', async () => {
      await rotateOnce();
      const { username } = await scenario.published();
      const last = { rotation: await lastRotation() };
      await letIn(username, 'by hand');
      await publishOutside(scenario, { username, password: 'by hand' });
      expect(await changesOf(scenario)).toEqual(['primary-changed: effect-counts']);
      const rotation = await scenario.request();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      const change = {
        found: { code: 'primary-changed', params: { destination: 'primary', last } },
        effect: { code: 'effect-counts', params: { login: username } },
      };
      expect(await warningsOf(scenario, rotation)).toMatchObject([outsideChange(change, { adopted: false })]);
      expect((await scenario.published()).username).toBe(other(username));
      await rotateOnce();
    });

    it('and that is refused stops a rotation (G5); one that adopts publishes the other login (G1)', async () => {
      await rotateOnce();
      const { username } = await scenario.published();
      await publishOutside(scenario, { username, password: 'mistyped-0815' });
      expect(await changesOf(scenario)).toEqual(['!primary-changed-and-refused: effect-other-login']);
      const change = {
        found: {
          code: 'primary-changed-and-refused',
          params: {
            destination: 'primary',
            last: { rotation: await lastRotation() },
            login: username,
            refusal: { code: 'password-refused', params: { login: username } },
          },
        },
        effect: {
          code: 'effect-other-login',
          params: { incoming: other(username), outgoing: username },
        },
      };
      const refused = await refusal();
      expect(refused).toMatchObject(stopsAt(change));
      const warnings = await expectAdoption(scenario);
      expect(warnings).toMatchObject([outsideChange(change, { adopted: true })]);
      expect(JSON.stringify([refused, warnings])).not.toContain('mistyped-0815');
    });

    it('and that is refused comes in itself while the other login is in use, which drains first (G1, G2)', async () => {
      await rotateOnce();
      const { username } = await scenario.published();
      const session = await scenario.logIn(await scenario.published());
      const refused = other(username);
      await publishOutside(scenario, { username: refused, password: 'mistyped' });
      expect(await changesOf(scenario)).toEqual(['!primary-changed-and-refused: effect-refused-login']);
      const rotation = await requestAdoption(scenario);
      expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
      expect((await scenario.published()).username).toBe(refused);
      await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
      expect(await canLogIn(scenario, username)).toBe(true);
      await session[Symbol.asyncDispose]();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      expect(await canLogIn(scenario, username)).toBe(false);
      await rotateOnce();
    });

    it('and that is refused is not adopted while both logins have sessions (G2)', async () => {
      await rotateOnce();
      const { username } = await scenario.published();
      await using _one = await scenario.logIn(await scenario.published());
      await letIn(other(username), 'by hand');
      await using _two = await scenario.logIn({ username: other(username), password: 'by hand' });
      await publishOutside(scenario, { username: other(username), password: 'mistyped' });
      expect(await expectRefusal(scenario, await requestAdoption(scenario))).toMatchObject(
        checkRefused({
          code: 'incoming-has-sessions',
          params: { login: username, sessions: [{ state: 'idle' }] },
        }),
      );
    });

    it('is no stop where it is one of its own that somebody made current again: its password stays out of use (G1)', async () => {
      await rotateOnce();
      const [old, { username, password }] = [await lastRotation(), await scenario.published()];
      await rotateOnce();
      await place.store.promote(place.secrets, old, { back: true });
      const rotation = await scenario.request();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      const change = {
        found: { code: 'primary-older-and-refused', params: { login: username, rotation: old } },
        effect: { code: 'effect-other-login', params: { incoming: other(username), outgoing: username } },
      };
      expect(await warningsOf(scenario, rotation)).toMatchObject([outsideChange(change, { adopted: false })]);
      await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
      await expect(scenario.logIn({ username, password })).rejects.toMatchObject({
        fact: { code: 'login-refused' },
      });
      await rotateOnce();
    });

    it('is where a policy without any history starts from, as it is, and its history tells', async () => {
      const [username] = scenario.policy.logins;
      await letIn(username, 'in use');
      const version = await publishOutside(scenario, { username, password: 'in use' });
      const rotation = await scenario.request();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      const change = {
        found: { code: 'publication-unknown', params: { version } },
        effect: { code: 'effect-counts', params: { login: username } },
      };
      expect(await warningsOf(scenario, rotation)).toMatchObject([outsideChange(change, { adopted: false })]);
      expect((await scenario.published()).username).toBe(other(username));
    });
  });

  describe('a deleted secret', () => {
    it('stops a rotation (G5); one that adopts brings in the login that was shut (G1)', async () => {
      await rotateOnce();
      const { username } = await scenario.published();
      await place.erase();
      expect(await changesOf(scenario)).toEqual(['!primary-emptied: effect-as-first-rotation']);
      const change = {
        found: {
          code: 'primary-emptied',
          params: { destination: 'primary', last: { rotation: await lastRotation() } },
        },
        effect: { code: 'effect-as-first-rotation', params: { unrevoked: null } },
      };
      expect(await refusal()).toMatchObject(stopsAt(change));
      expect(await expectAdoption(scenario)).toMatchObject([outsideChange(change, { adopted: true })]);
      const rows = await scenario.ledger.latest({ policy: scenario.policy.name, limit: 2 });
      expect(rows.map(({ outgoing, adopt }) => [outgoing, adopt])).toEqual([
        [other(username), false],
        [username, true],
      ]);
    });

    it('that is not to be made by keyturn is missing, adopt or not (G5)', async () => {
      await rotateOnce();
      await place.erase();
      const { store, secrets } = place;
      const strict = scenario.with({ destinations: [{ name: 'primary', store, create: false, secrets }] });
      const rotation = await requestAdoption(strict);
      expect(await strict.finish(rotation)).toMatchObject({
        status: 'failed',
        error: {
          step: 'check',
          fact: {
            code: 'check-refused',
            params: {
              findings: expect.arrayContaining([
                {
                  code: 'secret-missing',
                  params: expect.objectContaining({
                    secret: expect.stringContaining(secrets.password.secret),
                  }),
                },
              ]),
            },
          },
        },
      });
    });

    it('of a second destination is filled again, with a warning (G1)', async () => {
      const { store, secrets } = place;
      const mirror = { username: { secret: 'mirror/username' }, password: { secret: 'mirror/password' } };
      const both = scenario.with({
        destinations: [
          { name: 'files', store: scenario.store, create: true, secrets: mirror },
          { name: 'second', store, create: true, secrets },
        ],
      });
      expect(await both.finish(await both.request())).toEqual({ status: 'done' });
      await place.erase();
      expect(await changesOf(both)).toEqual(['destination-empty: effect-fills']);
      const rotation = await both.request();
      expect(await both.finish(rotation)).toEqual({ status: 'done' });
      const change = {
        found: fact('destination-empty', { destination: 'second' }),
        effect: fact('effect-fills', {}),
      };
      expect(await warningsOf(both, rotation)).toEqual([outsideChange(change, { adopted: false })]);
      expect((await store.read(secrets, 'current'))?.fields).toEqual(await both.published());
    });
  });
});
