import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Mapping } from '../../../src/config/policy.ts';
import type { KubernetesStoreConfig } from '../../../src/config/stores.ts';
import { fact } from '../../../src/facts/fact.ts';
import { openKubernetesStore } from '../../../src/secret-store/kubernetes/kubernetes-store.ts';
import type { SecretStore } from '../../../src/secret-store/secret-store.ts';
import { describeSecretStore, type Harness } from '../../contract/secret-store.ts';
import { haveOpenssl, openAuthority } from '../../support/certificates.ts';
import { type FakeKubernetes, startFakeKubernetes } from '../../support/fake-kubernetes.ts';
import { writeKubeconfig } from '../../support/kubeconfig.ts';
import { startStrictServer } from '../../support/strict-server.ts';

const config = (kubeconfig: string, more: Partial<KubernetesStoreConfig> = {}): KubernetesStoreConfig => ({
  name: 'cluster',
  type: 'kubernetes',
  kubeconfig,
  restart: [],
  ...more,
});

async function open(): Promise<Harness> {
  const cluster = await startFakeKubernetes();
  const kubeconfig = await writeKubeconfig(cluster.url);
  const store = openKubernetesStore(config(kubeconfig.path));
  const parts = (secret: string) => secret.split('/') as [string, string];
  return {
    store,
    name: (suffix) => `app/${suffix}`,
    apart: (suffix) => `app-${suffix}/${suffix}`,
    async make(secret, content) {
      const [name, key] = parts(secret);
      cluster.put(name, { [key]: content });
    },
    async current(secret) {
      const [name, key] = parts(secret);
      return cluster.data(name)?.[key];
    },
    async close() {
      await store.close();
      await cluster[Symbol.asyncDispose]();
      await kubeconfig[Symbol.asyncDispose]();
      expect(cluster.breaches).toEqual([]);
    },
  };
}

describeSecretStore('a double of Kubernetes', open);

describe('a store of type kubernetes', () => {
  let cluster: FakeKubernetes;
  let kubeconfig: Awaited<ReturnType<typeof writeKubeconfig>>;
  let store: SecretStore;
  beforeEach(async () => {
    cluster = await startFakeKubernetes();
    kubeconfig = await writeKubeconfig(cluster.url);
    store = openKubernetesStore(config(kubeconfig.path, { restart: ['deployment/web', 'statefulset/db'] }));
    cluster.workloads.set('deployments/web', {});
    cluster.workloads.set('statefulsets/db', { own: 'stays' });
  });
  afterEach(async () => {
    await store.close();
    await cluster[Symbol.asyncDispose]();
    await kubeconfig[Symbol.asyncDispose]();
    expect(cluster.breaches).toEqual([]);
  });
  const mapping: Mapping = {
    username: { secret: 'orders-db/username' },
    password: { secret: 'orders-db/password' },
  };
  const fields = (number: number) => ({ username: `u${number}`, password: `p${number}` });
  const create = { create: true };
  async function publish(number: number): Promise<string> {
    const token = randomUUID();
    await store.stage(mapping, token, fields(number), create);
    await store.promote(mapping, token);
    return token;
  }

  test('changes all keys of a Secret in one request, and those of others not at all (G1)', async () => {
    cluster.put('orders-db', { team: 'orders', ...fields(0) });
    await publish(1);
    const before = cluster.requests.length;
    await publish(2);
    const writes = cluster.requests
      .slice(before)
      .filter((request) => /^(PATCH|POST|PUT) .*secrets\/orders-db\?/.test(request));
    expect(writes).toHaveLength(1);
    expect(cluster.data('orders-db')).toEqual({ team: 'orders', ...fields(2) });
  });

  test('keeps a key that it applied before and that the mapping no longer names', async () => {
    cluster.put('orders-db', {});
    await publish(1);
    const token = randomUUID();
    const less: Mapping = { password: { secret: 'orders-db/password' } };
    await store.stage(less, token, { password: 'p2' }, create);
    await store.promote(less, token);
    expect(cluster.data('orders-db')).toEqual({ username: 'u1', password: 'p2' });
  });

  test('restarts once for each promotion, also where it is repeated, and keeps other annotations (G4)', async () => {
    const token = await publish(1);
    await store.promote(mapping, token);
    expect(cluster.restarts()).toBe(2);
    expect(cluster.workloads.get('statefulsets/db')).toEqual({
      own: 'stays',
      'keyturn.dev/orders-db': token,
      'kubectl.kubernetes.io/restartedAt': expect.stringMatching(/^\d{4}-/),
    });
    await store.stage(mapping, randomUUID(), fields(2), create);
    expect(cluster.restarts()).toBe(2);
    await publish(3);
    expect(cluster.restarts()).toBe(4);
  });

  test('a kill between the promotion and the restart is made good by the next try (G4)', async () => {
    const token = randomUUID();
    await store.stage(mapping, token, fields(1), create);
    cluster.allowed = /secrets/;
    await expect(store.promote(mapping, token)).rejects.toMatchObject({
      fact: { code: 'kubernetes-denied', params: { resource: 'deployments', name: 'web', verb: 'get' } },
    });
    expect(cluster.data('orders-db')).toEqual(fields(1));
    cluster.allowed = undefined;
    await store.promote(mapping, token);
    expect(cluster.restarts()).toBe(2);
  });

  test('what is to be restarted and does not exist is in the way, before anything is staged', async () => {
    cluster.workloads.delete('deployments/web');
    expect(await store.obstacles(mapping, { create: true, current: {} })).toEqual([
      fact('restart-target-missing', { store: 'cluster', target: 'deployment/web', namespace: 'orders' }),
    ]);
  });

  test('a rehearsal tries to write what consumers read, and changes nothing there (G5)', async () => {
    cluster.put('orders-db', fields(0));
    await store.rehearse(mapping, randomUUID(), fields(1));
    expect(cluster.data('orders-db')).toEqual(fields(0));
    cluster.allowed = /get|secrets orders-db.keyturn|create/;
    await expect(store.rehearse(mapping, randomUUID(), fields(1))).rejects.toMatchObject({
      fact: fact('kubernetes-denied', {
        store: 'cluster',
        namespace: 'orders',
        group: '',
        resource: 'secrets',
        name: 'orders-db',
        verb: 'patch',
      }),
    });
  });

  test('an immutable Secret is told before anything is staged elsewhere', async () => {
    cluster.put('orders-db', fields(0));
    const object = cluster.secrets.get('orders-db');
    if (object) object.immutable = true;
    await expect(store.rehearse(mapping, randomUUID(), fields(1))).rejects.toMatchObject({
      fact: fact('kubernetes-secret-immutable', { store: 'cluster', secret: 'orders-db' }),
    });
  });

  test('reads a token again that was replaced, and tells one that is refused', async () => {
    await publish(1);
    cluster.token = 'token-2';
    await kubeconfig.setToken('token-2');
    expect(await store.read(mapping, 'current')).toMatchObject({ fields: fields(1) });
    cluster.token = 'token-3';
    await expect(store.read(mapping, 'current')).rejects.toMatchObject({
      fact: fact('store-login-refused', { store: 'cluster', method: 'kubeconfig', detail: 'HTTP 401' }),
    });
  });

  test('makes no connection more for each credential that is refused or replaced (G5)', async () => {
    await publish(1);
    const before = cluster.connections();
    for (let round = 1; round <= 5; round += 1) {
      cluster.token = `other-${round}`;
      await expect(store.read(mapping, 'current')).rejects.toMatchObject({
        fact: { code: 'store-login-refused' },
      });
      await kubeconfig.setToken(cluster.token);
      expect(await store.read(mapping, 'current')).toMatchObject({ fields: fields(1) });
    }
    expect(cluster.connections() - before).toBeLessThanOrEqual(2);
  });

  test('an instant that is none is ignored (G5)', async () => {
    await publish(1);
    cluster.changedAt = 'hostile';
    expect(await store.since(mapping)).toEqual(new Date('2026-01-01T00:00:00Z'));
    await publish(2);
    expect(await store.read(mapping, 'current')).toMatchObject({ fields: fields(2) });
  });

  test('a namespace that does not exist is told', async () => {
    const other = openKubernetesStore(config(kubeconfig.path, { namespace: 'nowhere' }));
    await expect(other.stage(mapping, randomUUID(), fields(1), create)).rejects.toMatchObject({
      fact: fact('kubernetes-namespace-missing', { store: 'cluster', namespace: 'nowhere' }),
    });
    await other.close();
  });
});

describe('a kubeconfig', () => {
  const mapping: Mapping = { password: { secret: 'orders-db/password' } };
  test.each([
    [
      'skips verification',
      'https://127.0.0.1:1',
      { cluster: { 'insecure-skip-tls-verify': true } },
      'unverified',
    ],
    ['goes in plaintext', 'http://cluster.internal', {}, 'plaintext'],
    ['runs a plugin', 'https://127.0.0.1:1', { user: { exec: { command: 'aws' } } }, 'no-credential'],
  ])('that %s is refused, and nothing is sent', async (_, server, options, why) => {
    await using written = await writeKubeconfig(server, options);
    const store = openKubernetesStore(config(written.path));
    await expect(store.read(mapping, 'current')).rejects.toMatchObject({
      fact: { code: 'kubernetes-config-unusable', params: { why } },
    });
    await store.close();
  });

  test.skipIf(!haveOpenssl)(
    'with a client certificate and a CA is used, and an impostor gets no token (G3)',
    async () => {
      await using authority = await openAuthority('keyturn cluster');
      await using other = await openAuthority('somebody else');
      const issued = await authority.issue({ commonName: 'api', names: ['IP:127.0.0.1'] });
      const notFound = { kind: 'Status', code: 404 };
      await using server = await startStrictServer(() => ({ status: 404, body: notFound }), issued);
      const encoded = (pem: string) => Buffer.from(pem).toString('base64');
      for (const { ca } of [authority, other]) {
        const cluster = { 'certificate-authority-data': encoded(ca) };
        await using written = await writeKubeconfig(server.url, { cluster });
        const store = openKubernetesStore(config(written.path));
        const before = server.requests.length;
        const read = store.read(mapping, 'current');
        if (ca === authority.ca) expect(await read).toBeUndefined();
        else {
          await expect(read).rejects.toMatchObject({ fact: { code: 'store-certificate-refused' } });
          expect(server.requests.length).toBe(before);
        }
        await store.close();
      }
    },
  );
});
