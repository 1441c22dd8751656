import { describe, expect, inject, test } from 'vitest';
import type { Mapping } from '../../src/config/policy.ts';
import type { Event, StepName } from '../../src/ledger/rotation.ts';
import { openAwsParameterStore } from '../../src/secret-store/aws-parameter-store/aws-parameter-store.ts';
import { openKubernetesStore } from '../../src/secret-store/kubernetes/kubernetes-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { openVaultStore } from '../../src/secret-store/vault/vault-store.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { startFakeKubernetes } from '../support/fake-kubernetes.ts';
import { ROOT_TOKEN, startFakeVault } from '../support/fake-vault.ts';
import { writeKubeconfig } from '../support/kubeconfig.ts';
import { openScenario } from '../support/scenario.ts';
import { storeWith } from '../support/store-with.ts';
import { uniqueName } from '../support/unique-name.ts';

// What a step does with a store is in test/rotation/crash-points.test.ts, on files and AWS Secrets Manager. These
// stores copy a version to where consumers read, so a kill can also come between the copy and its record. The host
// stays the same in all versions.

interface Place extends AsyncDisposable {
  readonly store: SecretStore;
  readonly secrets: Mapping;
}

async function openVault(): Promise<Place> {
  const vault = await startFakeVault();
  const store = openVaultStore({
    name: 'vault',
    type: 'vault',
    url: vault.url,
    mount: 'secret',
    staging: 'keyturn',
    auth: { token: ROOT_TOKEN },
  });
  return {
    store,
    secrets: {
      username: { secret: 'app/user', key: 'name' },
      password: { secret: 'app/password' },
      host: { secret: 'app/host' },
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await vault[Symbol.asyncDispose]();
      expect(vault.breaches).toEqual([]);
    },
  };
}

async function openKubernetes(): Promise<Place> {
  const cluster = await startFakeKubernetes();
  const kubeconfig = await writeKubeconfig(cluster.url);
  const store = openKubernetesStore({
    name: 'cluster',
    type: 'kubernetes',
    kubeconfig: kubeconfig.path,
    restart: [],
  });
  return {
    store,
    secrets: {
      username: { secret: 'app/username' },
      password: { secret: 'app/password' },
      host: { secret: 'app/host' },
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await cluster[Symbol.asyncDispose]();
      await kubeconfig[Symbol.asyncDispose]();
      expect(cluster.breaches).toEqual([]);
    },
  };
}

async function openParameters(): Promise<Place> {
  const endpoint = inject('aws');
  const store = openAwsParameterStore({
    name: 'parameters',
    staging: 'keyturn',
    region: 'eu-central-1',
    ...(endpoint ? { endpoint } : {}),
  });
  const folder = uniqueName('app');
  return {
    store,
    secrets: {
      username: { secret: `/${folder}/username` },
      password: { secret: `/${folder}/password` },
      host: { secret: `/${folder}/host` },
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

const STORES = [
  ['a double of Vault', openVault, true],
  ['a double of Kubernetes', openKubernetes, true],
  ['AWS Parameter Store', openParameters, inject('aws') !== undefined],
] as const;

const STOPS: readonly (readonly [StepName, Event['kind']])[] = [
  ['stage', 'started'],
  ['stage', 'done'],
  ['publish', 'started'],
  ['publish', 'done'],
  ['revoke', 'done'],
];

describe.each(STORES)('with %s', (_name, openPlace, available) => {
  test.skipIf(!available)(
    'rotations that are killed around each step that writes there end as done, with one new password each (G1, G2, G4)',
    async () => {
      await using place = await openPlace();
      await using opened = await openScenario(inject('postgres'));
      const staged = new Set<string>();
      const store = storeWith(place.store, {
        async stage(mapping, token, fields, options) {
          if (fields.password) staged.add(fields.password);
          return place.store.stage(mapping, token, fields, options);
        },
      });
      const scenario = opened.with({
        destinations: [{ name: 'primary', store, create: true, secrets: place.secrets }],
      });
      expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
      for (const [step, when] of STOPS) {
        const before = await scenario.published();
        staged.clear();
        const rotation = await scenario.request();
        const dying = scenario.with({ ledger: dyingWith(scenario.ledger, step, when) });
        expect(await dying.finish(rotation).catch((error: Error) => error.message)).toBe(GONE);
        await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
        expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
        const after = await scenario.published();
        expect(after.username).not.toBe(before.username);
        expect([...staged]).toEqual([after.password]);
        await (await scenario.logIn(after))[Symbol.asyncDispose]();
        await expect(scenario.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
      }
    },
  );
});
