import { randomUUID } from 'node:crypto';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  onTestFinished,
  test,
} from 'vitest';
import type { Mapping } from '../../src/config/policy.ts';
import type { FactCode } from '../../src/facts/fact.ts';
import { isTransientCode } from '../../src/facts/transient.ts';
import { openAwsParameterStore } from '../../src/secret-store/aws-parameter-store/aws-parameter-store.ts';
import { openAwsSecretsManagerStore } from '../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import { openKubernetesStore } from '../../src/secret-store/kubernetes/kubernetes-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { openVaultStore } from '../../src/secret-store/vault/vault-store.ts';
import { startFakeKubernetes } from '../support/fake-kubernetes.ts';
import { ROOT_TOKEN, startFakeVault } from '../support/fake-vault.ts';
import { type FaultProxy, type HttpFault, startFaultProxy } from '../support/fault-proxy.ts';
import { writeKubeconfig } from '../support/kubeconfig.ts';
import { uniqueName } from '../support/unique-name.ts';

interface Place extends AsyncDisposable {
  readonly url: string;
}

interface Case {
  readonly start: () => Promise<Place>;
  readonly open: (url: string) => SecretStore | Promise<SecretStore>;
  readonly available: boolean;
  /** How often a request is numbered at which something goes wrong: what a real emulator takes long for, less. */
  readonly stride: number;
  readonly codes: readonly (readonly [fault: HttpFault, code: FactCode])[];
}

const emulator = inject('aws');
const aws = {
  start: async () => ({ url: String(emulator), [Symbol.asyncDispose]: async () => {} }),
  available: emulator !== undefined,
  stride: 7,
};
const region = 'eu-central-1';
const ofAws = (status: number, type: string) => ({ status, body: { __type: type, message: 'no' } });
const AWS_CODES: Case['codes'] = [
  [ofAws(400, 'UnrecognizedClientException'), 'store-denied'],
  [ofAws(400, 'AccessDeniedException'), 'store-denied'],
  [{ status: 429, retryAfter: 0 }, 'store-throttled'],
  [ofAws(500, 'InternalServiceError'), 'store-unreachable'],
  ['applied, but no answer', 'store-unreachable'],
];
const OWN_CODES: Case['codes'] = [
  [{ status: 429, retryAfter: 0 }, 'store-throttled'],
  [{ status: 429, retryAfter: 3600 }, 'store-throttled'],
  [{ status: 500 }, 'store-unreachable'],
  ['applied, but no answer', 'store-unreachable'],
  ['applied, and half an answer', 'store-unreachable'],
  ['a redirect', 'store-answer-invalid'],
  ['no JSON', 'store-answer-invalid'],
  ['too much', 'store-answer-invalid'],
];

const CASES: Readonly<Record<string, Case>> = {
  'aws-secrets-manager': {
    ...aws,
    open: (endpoint) => openAwsSecretsManagerStore({ name: 'store', region, endpoint }),
    codes: AWS_CODES,
  },
  'aws-parameter-store': {
    ...aws,
    open: (endpoint) => openAwsParameterStore({ name: 'store', staging: 'keyturn', region, endpoint }),
    codes: AWS_CODES,
  },
  vault: {
    start: () => startFakeVault(),
    available: true,
    stride: 5,
    open: (url) =>
      openVaultStore({
        name: 'store',
        type: 'vault',
        url,
        mount: 'secret',
        staging: 'keyturn',
        auth: { token: ROOT_TOKEN },
      }),
    codes: [
      [{ status: 401 }, 'store-refused'],
      [{ status: 409 }, 'store-refused'],
      [{ status: 403 }, 'vault-denied'],
      ...OWN_CODES,
    ],
  },
  kubernetes: {
    start: () => startFakeKubernetes(),
    available: true,
    stride: 5,
    open: async (url) => {
      const kubeconfig = await writeKubeconfig(url);
      onTestFinished(() => kubeconfig[Symbol.asyncDispose]());
      return openKubernetesStore({
        name: 'store',
        type: 'kubernetes',
        kubeconfig: kubeconfig.path,
        restart: [],
      });
    },
    codes: [
      [{ status: 401 }, 'store-login-refused'],
      [{ status: 409 }, 'store-refused'],
      [{ status: 403 }, 'kubernetes-denied'],
      ...OWN_CODES,
    ],
  },
};

/** Somebody has to do something about these. */
const LASTING: readonly FactCode[] = [
  'kubernetes-denied',
  'store-denied',
  'store-login-refused',
  'store-refused',
  'vault-denied',
];

const fields = (number: number) => ({ username: `u${number}`, password: `p${number}` });
const create = { create: true };

describe.each(Object.entries(CASES))('%s', (type, { start, open, available, stride, codes }) => {
  const keyed = type === 'kubernetes';
  const it = test.skipIf(!available);
  let place: Place;
  let proxy: FaultProxy;
  let store: SecretStore;
  let mapping: Mapping;
  beforeAll(async () => {
    if (!available) return;
    place = await start();
    proxy = await startFaultProxy(place.url);
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await place?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    if (!available) return;
    const folder = uniqueName('fault');
    const secretOf = (field: string) => ({ secret: `${folder}-${field}${keyed ? `/${field}` : ''}` });
    mapping = { username: secretOf('username'), password: secretOf('password') };
    store = await open(proxy.url);
  });
  afterEach(async () => {
    if (!available) return;
    proxy.mend();
    await store.close();
  });

  it.each(codes)('%j is told as %s, and tried again if it may pass', async (bad, expected) => {
    proxy.fail(bad);
    const error = await store.read(mapping, 'current').catch((thrown: unknown) => thrown);
    const { code } = (error as { fact: { code: FactCode } }).fact;
    expect(code).toBe(expected);
    expect(isTransientCode(code)).toBe(!LASTING.includes(code));
  });

  it('one request that is refused for a moment is sent again', async () => {
    proxy.fail({ status: 429, retryAfter: 0 }, 0, 1);
    expect(await store.read(mapping, 'current')).toBeUndefined();
  });

  const lost: readonly HttpFault[] = [
    { status: 500 },
    'applied, but no answer',
    'applied, and half an answer',
  ];
  it.each(lost)(
    '%j at any request of a rotation loses no version and makes no second password (G1, G4)',
    async (bad) => {
      let token = randomUUID();
      const previous = randomUUID();
      await store.stage(mapping, previous, fields(0), create);
      await store.promote(mapping, previous);
      const steps = [
        () => store.stage(mapping, token, fields(1), create),
        () => store.promote(mapping, token),
      ];
      for (const [index, step] of steps.entries()) {
        for (let at = 0; ; at += stride) {
          proxy.fail(bad, at);
          const failed = await step().then(
            () => false,
            () => true,
          );
          proxy.mend();
          const seen = [await store.read(mapping, 'current'), await store.read(mapping, 'pending')];
          if (index === 1) expect(seen).toContainEqual({ token, fields: fields(1) });
          else expect(seen).toContainEqual({ token: previous, fields: fields(0) });
          if (!failed) break;
          // Another password comes too late for what was staged already.
          const staged = seen[1]?.token === token ? seen[1].fields.password : undefined;
          await store.stage(mapping, token, fields(9), create).catch(() => {});
          const kept = (await store.read(mapping, 'pending'))?.fields.password;
          if (staged !== undefined) expect(kept).toBe(staged);
          if (kept === 'p9') {
            await store.discard(mapping, token);
            token = randomUUID();
          }
        }
      }
      expect(await store.read(mapping, 'current')).toEqual({ token, fields: fields(1) });
      expect(await store.read(mapping, 'previous')).toEqual({ token: previous, fields: fields(0) });
      expect(await store.read(mapping, 'pending')).toBeUndefined();
    },
  );
});
