import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Field, Mapping } from '../../src/config/policy.ts';
import { fault } from '../../src/facts/fault.ts';
import type { OpenDestination } from '../../src/rotation/context/policy-view.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

// Secrets that cannot change at one instant: here folders of a file store, as separate secrets are on AWS.
const APART: Mapping = {
  username: { secret: 'one/username' },
  password: { secret: 'two/password' },
  url: { secret: 'three/url' },
};

let scenario: Scenario;
/** What is published when a test begins. */
let before: { username: string; password: string };
/** Every password that was staged since. */
let passwords: Set<string>;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
  passwords = new Set();
  await apart().finish(await apart().request());
  before = await apart().published();
  passwords.clear();
});
afterEach(() => scenario[Symbol.asyncDispose]());

/** The scenario with its secrets apart, and verbs of the store replaced. */
function apart(change: (store: SecretStore) => Partial<SecretStore> = () => ({})): Scenario {
  const store: SecretStore = {
    ...scenario.store,
    async stage(mapping, token, fields, options) {
      if (fields.password) passwords.add(fields.password);
      return scenario.store.stage(mapping, token, fields, options);
    },
  };
  const primary: OpenDestination = {
    name: 'files',
    store: { ...store, ...change(store) },
    create: true,
    secrets: APART,
  };
  return scenario.with({ destinations: [primary] });
}

const only = (field: Field): Mapping => ({ [field]: APART[field] });

const GONE = 'the process is gone';

/** As `apart`, for a process that goes away in a verb of the store: it does not get to write down that it failed. */
function killed(change: (store: SecretStore) => Partial<SecretStore>): Scenario {
  const ledger = { ...scenario.ledger, failed: () => Promise.reject(new Error(GONE)) };
  return apart(change).with({ ledger });
}

/** A rotation whose process goes away ends as done in another process. */
async function expectRollForward(from: Scenario): Promise<void> {
  const rotation = await from.request();
  await expect(from.finish(rotation)).rejects.toThrow(GONE);
  expect(await apart().finish(rotation)).toEqual({ status: 'done' });
  await expectWhole();
}

async function expectWhole(): Promise<void> {
  const version = await scenario.store.read(APART, 'current');
  const { username, password, url } = version?.fields ?? {};
  expect(username).not.toBe(before.username);
  expect(url).toContain(`${username}:${password}@`);
  expect([...passwords]).toEqual([password]);
  await using _session = await scenario.logIn({ username: String(username), password: String(password) });
  await expect(scenario.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
}

describe.each(['username', 'password', 'url'] as const)(
  'a promotion that stops after the %s of several secrets',
  (field) => {
    test('because the process is gone rolls forward with the same password (G1, G4)', async () => {
      const afterOne = killed((store) => ({
        async promote(_mapping, token) {
          await store.promote(only(field), token);
          throw new Error(GONE);
        },
      }));
      await expectRollForward(afterOne);
    });

    test('because the store refuses the others is not over before they followed (G1, G5)', async () => {
      const refused = apart((store) => ({
        async promote(_mapping, token) {
          await store.promote(only(field), token);
          throw fault('store-denied', {
            store: 'files',
            secret: 'app/password',
            action: 'UpdateSecretVersionStage',
            detail: 'AccessDeniedException',
          });
        },
      }));
      const rotation = await refused.request();
      expect(await refused.run(rotation)).toMatchObject({ status: 'retrying', error: { step: 'publish' } });
      expect(await apart().finish(rotation)).toEqual({ status: 'done' });
      await expectWhole();
    });
  },
);

test('staging that stops after the first of several secrets goes on with its password (G4)', async () => {
  const afterOne = killed((store) => ({
    async stage(_mapping, token, fields, options) {
      const { password } = fields;
      await store.stage(only('password'), token, password === undefined ? {} : { password }, options);
      throw new Error(GONE);
    },
  }));
  await expectRollForward(afterOne);
});

test('two that stage at once end with one password, in every secret (G4)', async () => {
  // Another process was quicker, and stopped after its first secret.
  const second = apart((store) => ({
    async stage(mapping, token, fields, options) {
      await store.stage(only('password'), token, { password: 'TheOtherProcessHasThisPassword42' }, options);
      return scenario.store.stage(mapping, token, fields, options);
    },
  }));
  const rotation = await second.request();
  const outcome = await second.run(rotation);
  expect(outcome).toMatchObject({ status: 'retrying', error: { step: 'stage' } });
  expect(await second.finish(rotation)).toEqual({ status: 'done' });
  await expectWhole();
});
