import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Mapping } from '../../../src/config/policy.ts';
import type { VaultStoreConfig } from '../../../src/config/stores.ts';
import { fact } from '../../../src/facts/fact.ts';
import type { SecretStore } from '../../../src/secret-store/secret-store.ts';
import { openVaultStore } from '../../../src/secret-store/vault/vault-store.ts';
import { describeSecretStore, type Harness } from '../../contract/secret-store.ts';
import { haveOpenssl, openAuthority } from '../../support/certificates.ts';
import { APP_ROLE, type FakeVault, POD, ROOT_TOKEN, startFakeVault } from '../../support/fake-vault.ts';
import { startStrictServer } from '../../support/strict-server.ts';

/** Has time go on for what keyturn measures, however somebody sets the clock. */
async function later(milliseconds: number, act: () => Promise<unknown>): Promise<void> {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + milliseconds);
  try {
    await act();
  } finally {
    clock.mockRestore();
  }
}

const config = (url: string, more: Partial<VaultStoreConfig> = {}): VaultStoreConfig => ({
  name: 'vault',
  type: 'vault',
  url,
  mount: 'secret',
  staging: 'keyturn',
  auth: { token: ROOT_TOKEN },
  ...more,
});

async function open(): Promise<Harness> {
  const vault = await startFakeVault();
  const store = openVaultStore(config(vault.url));
  return {
    store,
    keyed: true,
    name: (suffix) => `app/${suffix}`,
    apart: (suffix) => `app-${suffix}`,
    async make(secret, content) {
      vault.put(secret, content.startsWith('{') ? JSON.parse(content) : { value: content });
    },
    async current(secret) {
      const data = vault.latest(secret);
      return data && (Object.keys(data).join() === 'value' ? String(data.value) : JSON.stringify(data));
    },
    async close() {
      await store.close();
      await vault[Symbol.asyncDispose]();
      expect(vault.breaches).toEqual([]);
    },
  };
}

describeSecretStore('a double of Vault', open);

describe('a store of type vault', () => {
  let vault: FakeVault;
  let store: SecretStore;
  const openOn = async (
    options: Parameters<typeof startFakeVault>[0] = {},
    more: Partial<VaultStoreConfig> = {},
  ) => {
    vault = await startFakeVault(options);
    store = openVaultStore(config(vault.url, more));
  };
  beforeEach(() => openOn());
  afterEach(async () => {
    await store.close();
    await vault[Symbol.asyncDispose]();
    expect(vault.breaches).toEqual([]);
  });
  const mapping: Mapping = {
    username: { secret: 'orders/db', key: 'username' },
    password: { secret: 'orders/db', key: 'password' },
  };
  const fields = (number: number) => ({ username: `u${number}`, password: `hunter${number}` });
  const create = { create: true };

  async function publish(number: number): Promise<string> {
    const token = randomUUID();
    await store.stage(mapping, token, fields(number), create);
    await store.promote(mapping, token);
    return token;
  }

  test('gives a reader of the latest version one version for each promotion, and none before it (G1)', async () => {
    vault.put('orders/db', { team: 'orders', ...fields(0) });
    await publish(1);
    await store.stage(mapping, randomUUID(), fields(2), { create: false });
    await store.rehearse(mapping, randomUUID(), fields(3));
    const versions = [...(vault.secrets.get('orders/db')?.versions.values() ?? [])].map(({ data }) => data);
    expect(versions).toEqual([
      { team: 'orders', ...fields(0) },
      { team: 'orders', ...fields(1) },
    ]);
  });

  test('keeps no old versions of what was staged (G3)', async () => {
    const token = randomUUID();
    await store.stage(mapping, token, fields(1), create);
    await store.discard(mapping, token);
    expect(
      JSON.stringify([...(vault.secrets.get('keyturn/orders/db')?.versions.values() ?? [])]),
    ).not.toContain('hunter1');
  });

  test('what somebody wrote in between is not overwritten unseen (G1)', async () => {
    const token = randomUUID();
    await store.stage(mapping, token, fields(1), create);
    vault.put('orders/db', { note: 'by hand' });
    await store.promote(mapping, token);
    expect(vault.latest('orders/db')).toEqual({ note: 'by hand', ...fields(1) });
  });

  test('a secret whose latest version was deleted is there, without a value', async () => {
    const first = await publish(1);
    const entry = vault.secrets.get('orders/db');
    const latest = entry?.versions.get(1);
    if (latest) latest.data = undefined;
    expect(await store.read(mapping, 'current')).toBeUndefined();
    const token = randomUUID();
    await store.stage(mapping, token, fields(2), { create: false });
    await store.promote(mapping, token);
    expect(await store.read(mapping, 'current')).toEqual({ token, fields: fields(2) });
    expect(first).not.toBe(token);
  });

  test('something else in the place of what is staged stays as it is', async () => {
    vault.put('keyturn/orders/db', { mine: 'hunter2' });
    const staging = store.stage(mapping, randomUUID(), fields(1), create);
    await expect(staging).rejects.toMatchObject({
      fact: fact('staging-secret-foreign', { store: 'vault', secret: 'orders/db' }),
    });
    expect(vault.latest('keyturn/orders/db')).toEqual({ mine: 'hunter2' });
  });

  test('each right that is missing is told as a line of a policy', async () => {
    vault.put('orders/db', {});
    const denied = (path: string, capabilities: string[]) => ({
      fact: fact('vault-denied', {
        store: 'vault',
        secret: path.replace(/^secret\/\w+\//, ''),
        path,
        capabilities,
      }),
    });
    vault.tokens.set(ROOT_TOKEN, /^GET .*keyturn/);
    await expect(store.read(mapping, 'current')).rejects.toMatchObject(
      denied('secret/data/orders/db', ['read']),
    );
    vault.tokens.set(ROOT_TOKEN, /^GET|capabilities/);
    await expect(store.rehearse(mapping, randomUUID(), fields(1))).rejects.toMatchObject(
      denied('secret/data/orders/db', ['create', 'read', 'update']),
    );
    await expect(store.stage(mapping, randomUUID(), fields(1), create)).rejects.toMatchObject(
      denied('secret/metadata/keyturn/orders/db', ['create', 'update']),
    );
    vault.tokens.set(ROOT_TOKEN, /^GET|metadata/);
    await expect(store.stage(mapping, randomUUID(), fields(1), create)).rejects.toMatchObject(
      denied('secret/data/keyturn/orders/db', ['create', 'update']),
    );
    expect(vault.latest('orders/db')).toEqual({});
  });

  test('an engine of version 1 is in the way, and a sealed server is told', async () => {
    await store.close();
    await vault[Symbol.asyncDispose]();
    await openOn({ kvVersion: '1' });
    expect(await store.obstacles(mapping, { create: true, current: {} })).toEqual([
      fact('vault-mount-unusable', { store: 'vault', mount: 'secret' }),
    ]);
    vault.sealed = true;
    await expect(store.read(mapping, 'current')).rejects.toMatchObject({
      fact: fact('vault-sealed', { store: 'vault' }),
    });
  });

  test('logs in as an AppRole in a namespace, again when half of the time is over or the token is refused', async () => {
    await store.close();
    await vault[Symbol.asyncDispose]();
    await openOn(
      { namespace: 'team/orders', ttl: 60 },
      { namespace: 'team/orders', auth: { appRole: APP_ROLE } },
    );
    await publish(1);
    expect(vault.logins()).toBe(1);
    await later(31_000, () => store.read(mapping, 'current'));
    expect(vault.logins()).toBe(2);
    vault.tokens.clear();
    expect(await store.read(mapping, 'current')).toMatchObject({ fields: fields(1) });
    expect(vault.logins()).toBe(3);
  });

  test.each([503, 429, 412])(
    'renews a token though the first look at it was answered with %i (G5)',
    async (status) => {
      vault.self = status;
      expect(await store.read(mapping, 'current')).toBeUndefined();
      vault.self = { ttl: 60, renewable: true };
      await later(30_000, () => store.read(mapping, 'current'));
      expect(vault.renewals()).toBe(0);
      await later(61_000, () => store.read(mapping, 'current'));
      expect(vault.renewals()).toBe(1);
    },
  );

  test.each([403, 404])('asks no more of a token that may not look at itself, told by %i', async (status) => {
    vault.self = status;
    await store.read(mapping, 'current');
    await later(3_600_000, () => store.read(mapping, 'current'));
    expect(vault.requests.filter((request) => request.endsWith('lookup-self'))).toHaveLength(1);
  });

  test('an instant that is none is unknown, and keeps nobody from promoting (G5)', async () => {
    await publish(1);
    vault.createdTime = 'hostile';
    expect(await store.since(mapping)).toBeUndefined();
    await publish(2);
    expect(await store.read(mapping, 'current')).toMatchObject({ fields: fields(2) });
  });

  test('logs in with the token of a service account, and says when it is refused, without it (G3)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keyturn-vault-'));
    const tokenPath = join(folder, 'token');
    try {
      await writeFile(tokenPath, `${POD.jwt}\n`);
      const pod = openVaultStore(config(vault.url, { auth: { kubernetes: { role: POD.role, tokenPath } } }));
      expect(await pod.read(mapping, 'current')).toBeUndefined();
      await pod.close();
      const stranger = openVaultStore(
        config(vault.url, { auth: { appRole: { ...APP_ROLE, secretId: 'hunter2' } } }),
      );
      const error = await stranger.read(mapping, 'current').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        fact: fact('store-login-refused', { store: 'vault', method: 'appRole', detail: 'HTTP 400' }),
      });
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('hunter2');
      await stranger.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test.skipIf(!haveOpenssl)('an impostor with another certificate gets no token (G3)', async () => {
  await using authority = await openAuthority('keyturn vault');
  await using other = await openAuthority('somebody else');
  const issued = await authority.issue({ commonName: 'vault', names: ['IP:127.0.0.1'] });
  await using server = await startStrictServer(() => ({ status: 404, body: { errors: [] } }), issued);
  const mapping: Mapping = { password: { secret: 'orders/db', key: 'password' } };
  const trusted = openVaultStore(config(server.url, { tls: { ca: authority.ca } }));
  expect(await trusted.read(mapping, 'current')).toBeUndefined();
  await trusted.close();
  const before = server.requests.length;
  for (const tls of [{ ca: other.ca }, {}, { ca: authority.ca, servername: 'vault.internal' }]) {
    const store = openVaultStore(config(server.url, { tls }));
    await expect(store.read(mapping, 'current')).rejects.toMatchObject({
      fact: { code: 'store-certificate-refused' },
    });
    await store.close();
  }
  expect(server.requests.length).toBe(before);
});
