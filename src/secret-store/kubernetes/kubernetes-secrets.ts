import * as z from 'zod';
import { fault } from '../../facts/fault.ts';
import { instantOf, latestOf } from '../adapter-rules.ts';
import type { KubernetesRequests, Resource } from './kubernetes-requests.ts';

/** The name under which keyturn owns fields, and the only one that its applied fields have. */
const MANAGER = 'keyturn';

const managed = z.object({
  manager: z.string().optional(),
  operation: z.string().optional(),
  time: z.string().optional(),
  fieldsV1: z.record(z.string(), z.unknown()).optional(),
});
const secretObject = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    creationTimestamp: z.string().nullish(),
    managedFields: z.array(managed).nullish(),
  }),
  data: z.record(z.string(), z.string()).nullish(),
  immutable: z.boolean().nullish(),
});

/** An object of kind Secret. */
export interface KubernetesSecret {
  readonly resourceVersion: string;
  /** Decoded. */
  readonly data: ReadonlyMap<string, string>;
  /** The keys of `data` that keyturn applied. */
  readonly applied: readonly string[];
  readonly since: Date | undefined;
  readonly immutable: boolean;
}

/** Reads and writes objects of kind Secret, of one key or several, and leaves the others alone. */
export class KubernetesSecrets {
  readonly #store: string;
  readonly #requests: KubernetesRequests;

  constructor(store: string, requests: KubernetesRequests) {
    this.#store = store;
    this.#requests = requests;
  }

  /** Undefined when the object does not exist. */
  async read(name: string): Promise<KubernetesSecret | undefined> {
    const { status, json } = await this.#requests.send(resource(name), { verb: 'get' }, [404]);
    if (status === 404) return undefined;
    const parsed = secretObject.safeParse(json);
    if (!parsed.success) {
      const asked = { store: this.#store, secret: name, action: 'get' };
      throw fault('store-answer-invalid', { ...asked, why: 'unexpected' });
    }
    return asSecret(parsed.data);
  }

  /** Makes the object; false where it exists by now. */
  async create(name: string, data: ReadonlyMap<string, string>): Promise<boolean> {
    const body = { ...objectOf(name, data), type: 'Opaque' };
    const request = { verb: 'create', query: { fieldManager: MANAGER }, body } as const;
    return (await this.#requests.send(resource(name), request, [409])).status !== 409;
  }

  /**
   * Applies these keys, if the object is as it was read. What keyturn applied before is applied
   * again, because what an apply leaves out is removed. Keys of others stay.
   * https://kubernetes.io/docs/reference/using-api/server-side-apply/
   */
  async apply(
    name: string,
    data: ReadonlyMap<string, string>,
    replaced: KubernetesSecret,
    { dryRun = false } = {},
  ): Promise<boolean> {
    if (replaced.immutable) {
      throw fault('kubernetes-secret-immutable', { store: this.#store, secret: name });
    }
    const before = replaced.applied.flatMap((key) => {
      const value = replaced.data.get(key);
      return value === undefined ? [] : [[key, value] as const];
    });
    const object = objectOf(name, new Map([...before, ...data]));
    const metadata = { ...object.metadata, resourceVersion: replaced.resourceVersion };
    const request = {
      verb: 'patch',
      // The fields are keyturn's from now on, whoever set them first.
      query: { fieldManager: MANAGER, force: 'true', ...(dryRun ? { dryRun: 'All' } : {}) },
      body: { ...object, metadata },
      type: 'application/apply-patch+yaml',
    } as const;
    const { status } = await this.#requests.send(resource(name), request, [404, 409]);
    return status < 300;
  }

  async delete(name: string): Promise<void> {
    await this.#requests.send(resource(name), { verb: 'delete' }, [404]);
  }
}

function resource(name: string): Resource {
  return { group: '', resource: 'secrets', name };
}

function objectOf(name: string, data: ReadonlyMap<string, string>) {
  const encoded = [...data].map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    data: Object.fromEntries(encoded) as Record<string, string>,
  };
}

function asSecret({ metadata, data, immutable }: z.output<typeof secretObject>): KubernetesSecret {
  const fields = (metadata.managedFields ?? []).flatMap((entry) => {
    const owned = entry.fieldsV1?.['f:data'];
    return typeof owned === 'object' && owned !== null ? [{ ...entry, keys: Object.keys(owned) }] : [];
  });
  const own = fields.filter(({ manager, operation }) => manager === MANAGER && operation === 'Apply');
  const times = [...fields.map(({ time }) => time), metadata.creationTimestamp];
  const decoded = Object.entries(data ?? {}).map(
    ([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')] as const,
  );
  return {
    resourceVersion: metadata.resourceVersion,
    data: new Map(decoded),
    applied: own.flatMap(({ keys }) =>
      keys.filter((key) => key !== '.').map((key) => key.replace(/^f:/, '')),
    ),
    since: latestOf(times.flatMap((time) => instantOf(time) ?? [])),
    immutable: immutable === true,
  };
}
