import { expect } from 'vitest';
import type { Mapping, RotatorPolicy } from '../../src/config/policy.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { quoteLiteral } from '../../src/postgres/identifier.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import type { OpenDestination } from '../../src/rotation/context/policy-view.ts';
import { withRotatorPassword } from '../../src/rotation/context/with-rotator-password.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { onLine } from './on-line.ts';
import { withLimitedRotator } from './rotator.ts';
import { openScenario, type Scenario, type ServerAddress } from './scenario.ts';

export const ROTATOR_MAPPING: Mapping = {
  username: { secret: 'rotator/username' },
  password: { secret: 'rotator/password' },
};

/** What may be different about a rotator's scenario. */
export interface RotatorChange {
  readonly policy?: Partial<RotatorPolicy>;
  readonly store?: (store: SecretStore) => Partial<SecretStore>;
}

/** A server with a policy of two logins, and one of the rotator that alters them; both publish in one file store. */
export interface RotatorScenario extends AsyncDisposable {
  readonly rotator: string;
  /** The rotator's policy, seen by a process that knows nothing but its configuration. */
  fresh(change?: RotatorChange): Scenario;
  /** The policy of two logins, likewise. */
  freshLogins(): Scenario;
  /** Gives the rotator another password behind keyturn's back. */
  setPassword(password: string): Promise<void>;
  /** Every password that was staged for the rotator. */
  readonly staged: ReadonlySet<string>;
}

/** The password that the rotator's connection configures. */
export const CONFIGURED = 'rotator-password';

export async function openRotatorScenario(server: ServerAddress): Promise<RotatorScenario> {
  const scenario = await openScenario(server);
  const made = await withLimitedRotator(scenario);
  const { limited, rotator } = made;
  const staged = new Set<string>();
  const { owner: _, drain: __, ...shared } = limited.policy;
  const policy: RotatorPolicy = {
    ...shared,
    name: `${limited.policy.name}-rotator`,
    type: 'rotator',
    logins: [rotator],
  };
  const destinationIn = (change: RotatorChange): OpenDestination => {
    const store: SecretStore = {
      ...scenario.store,
      async stage(mapping, token, fields, options) {
        if (fields.password) staged.add(fields.password);
        return scenario.store.stage(mapping, token, fields, options);
      },
    };
    return {
      name: 'files (primary)',
      store: { ...store, ...change.store?.(store) },
      create: true,
      secrets: ROTATOR_MAPPING,
    };
  };
  const process = (change: RotatorChange) => {
    const destination = destinationIn(change);
    return { destination, connection: withRotatorPassword(limited.connection, policy.name, destination) };
  };
  return {
    rotator,
    staged,
    fresh(change = {}) {
      const { destination, connection } = process(change);
      return limited.with({
        policy: { ...policy, ...change.policy },
        destinations: [destination],
        connection,
      });
    },
    freshLogins: () => limited.with({ connection: process({}).connection }),
    async setPassword(password) {
      await scenario.admin.query(`ALTER ROLE ${rotator} PASSWORD ${quoteLiteral(password)}`);
    },
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]();
      await scenario[Symbol.asyncDispose]();
    },
  };
}

/**
 * Expects a rotation whose rotator is shut out right before publish to stay open with what it staged, in this process, in
 * another and when somebody cancels it, and to end well once the rotator is let in again.
 */
export async function expectKept(
  own: Scenario,
  rotation: Rotation,
  {
    bar,
    lift,
    why,
  }: { readonly bar: () => Promise<unknown>; readonly lift: () => Promise<unknown>; readonly why: unknown },
): Promise<void> {
  const [{ store, secrets }] = own.destinations;
  const { ledger } = own;
  const barring = own.with({
    ledger: onLine(ledger, {
      async after({ step, kind }) {
        if (step === 'set' && kind === 'done') await bar();
      },
    }),
  });
  for (const each of [barring, own]) {
    expect(await each.run(rotation)).toMatchObject({ status: 'retrying', error: { fact: why } });
    expect((await store.read(secrets, 'pending'))?.token).toBe(rotation.id);
  }
  await using context = own.context(rotation);
  await expect(cancel(context, { requestedBy: 'somebody' })).rejects.toMatchObject({ fact: why });
  expect((await store.read(secrets, 'pending'))?.token).toBe(rotation.id);
  await lift();
  expect(await own.finish(rotation)).toEqual({ status: 'done' });
  const published = await own.published();
  expect((await store.read(secrets, 'current'))?.token).toBe(rotation.id);
  await using _session = await own.logIn(published);
}
