import * as z from 'zod';
import { type Asked, demand, type StrictServer, startStrictServer, type Told } from './strict-server.ts';

interface Managed {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly time: string;
  readonly fieldsV1: { readonly 'f:data': Record<string, object> };
}

interface Stored {
  data: Record<string, string>;
  version: number;
  managed: Managed[];
  immutable: boolean;
}

export interface FakeKubernetes extends StrictServer {
  /** By name, in the namespace. */
  readonly secrets: Map<string, Stored>;
  /** Annotations of the pods of `deployments/web` and its like. */
  readonly workloads: Map<string, Record<string, string>>;
  /** How often a workload was restarted. */
  readonly restarts: () => number;
  token: string;
  /** Requests that are allowed, as `patch secrets orders-db`; undefined: all. */
  allowed: RegExp | undefined;
  /** What answers tell as the instant of a change; undefined: when it was made. */
  changedAt: string | undefined;
  /** As `kubectl create secret generic` and `kubectl edit` do it. */
  put(name: string, data: Readonly<Record<string, string>>): void;
  /** Decoded, as a pod that mounts the Secret sees it. */
  data(name: string): Record<string, string> | undefined;
}

export const NAMESPACE = 'orders';

const base64 = z.record(z.string().regex(/^[\w.-]+$/), z.base64());
const created = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Secret'),
  metadata: z.strictObject({ name: z.string() }),
  type: z.literal('Opaque'),
  data: base64,
});
const applied = created.omit({ type: true }).extend({
  metadata: z.strictObject({ name: z.string(), resourceVersion: z.string() }),
});
const restarted = z.strictObject({
  spec: z.strictObject({
    template: z.strictObject({
      metadata: z.strictObject({ annotations: z.record(z.string(), z.string()) }),
    }),
  }),
});

/**
 * A double of an API server of Kubernetes with one namespace, as far as its API is documented:
 * https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/ and
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export async function startFakeKubernetes(): Promise<FakeKubernetes> {
  const secrets = new Map<string, Stored>();
  const workloads = new Map<string, Record<string, string>>();
  const state = {
    token: 'token-1',
    allowed: undefined as RegExp | undefined,
    changedAt: undefined as string | undefined,
  };
  let version = 100;
  let restarts = 0;
  const failed = (code: number, reason: string): Told => ({
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code },
  });

  const server = await startStrictServer((asked) => {
    const { authorization, accept } = asked.headers;
    demand(accept === 'application/json', 'another answer than JSON');
    demand(authorization?.startsWith('Bearer '), 'no token');
    if (authorization !== `Bearer ${state.token}`) return failed(401, 'Unauthorized');
    const [, group, namespace, resource, name] =
      /^\/(api|apis\/apps)\/v1\/namespaces\/([^/]+)\/(\w+)(?:\/([^/]+))?$/.exec(asked.path) ?? [];
    demand(resource !== undefined && namespace !== undefined, 'an unknown path');
    const verb = { GET: 'get', POST: 'create', PATCH: 'patch', DELETE: 'delete' }[asked.method];
    demand(verb !== undefined && (verb === 'create') === (name === undefined), 'a wrong method');
    if (state.allowed && !state.allowed.test(`${verb} ${resource} ${name ?? ''}`))
      return failed(403, 'Forbidden');
    if (namespace !== NAMESPACE) return failed(404, 'NotFound');
    if (group === 'api') {
      demand(resource === 'secrets', 'an unknown resource');
      return secret(asked, name);
    }
    demand(['deployments', 'statefulsets', 'daemonsets'].includes(resource), 'an unknown resource');
    return workload(asked, `${resource}/${name}`);
  });

  function secret(asked: Asked, name: string | undefined): Told {
    const { method, query } = asked;
    if (name === undefined) return create(asked);
    const found = secrets.get(name);
    if (method === 'PATCH') return apply(asked, name, found);
    demand(query.size === 0 && asked.body === undefined, 'a query or a body');
    if (found === undefined) return failed(404, 'NotFound');
    if (method === 'GET') return { status: 200, body: shown(name, found) };
    secrets.delete(name);
    return { status: 200, body: { kind: 'Status', status: 'Success' } };
  }

  function create({ body, query, headers }: Asked): Told {
    demand(headers['content-type'] === 'application/json', 'no JSON');
    demand(query.toString() === 'fieldManager=keyturn', 'no field manager');
    const { metadata, data } = created.parse(body);
    if (secrets.has(metadata.name)) return failed(409, 'AlreadyExists');
    const stored = { data, version: 0, managed: [entry('Update', data)], immutable: false };
    secrets.set(metadata.name, stored);
    touch(stored);
    return { status: 201, body: shown(metadata.name, stored) };
  }

  function apply({ body, query, headers }: Asked, name: string, found: Stored | undefined): Told {
    demand(headers['content-type'] === 'application/apply-patch+yaml', 'no apply patch');
    demand(query.get('fieldManager') === 'keyturn' && query.get('force') === 'true', 'no field manager');
    const isDry = query.get('dryRun') === 'All';
    demand(query.size === (isDry ? 3 : 2), 'another query');
    const { metadata, data } = applied.parse(body);
    demand(metadata.name === name, 'another name');
    if (found === undefined || metadata.resourceVersion !== String(found.version))
      return failed(409, 'Conflict');
    demand(!found.immutable, 'a change of what is immutable');
    if (isDry) return { status: 200, body: shown(name, found) };
    const own = found.managed.find(({ operation }) => operation === 'Apply');
    const others = found.managed.filter(({ operation }) => operation !== 'Apply');
    // What an apply leaves out is removed, unless somebody else owns it.
    for (const field of Object.keys(own?.fieldsV1['f:data'] ?? {})) {
      const key = field.replace(/^f:/, '');
      if (key in data || others.some(({ fieldsV1 }) => field in fieldsV1['f:data'])) continue;
      delete found.data[key];
    }
    Object.assign(found.data, data);
    found.managed = [...others, entry('Apply', data)];
    touch(found);
    return { status: 200, body: shown(name, found) };
  }

  function workload({ method, query, headers, body }: Asked, name: string): Told {
    const found = workloads.get(name);
    if (found === undefined) return failed(404, 'NotFound');
    if (method === 'PATCH') {
      demand(headers['content-type'] === 'application/strategic-merge-patch+json', 'no merge patch');
      demand(query.toString() === 'fieldManager=keyturn', 'no field manager');
      const { annotations } = restarted.parse(body).spec.template.metadata;
      const at = annotations['kubectl.kubernetes.io/restartedAt'];
      demand(at !== undefined && z.iso.datetime().safeParse(at).success, 'no instant');
      Object.assign(found, annotations);
      restarts += 1;
    } else demand(method === 'GET' && query.size === 0, 'a wrong method');
    return { status: 200, body: { spec: { template: { metadata: { annotations: found } } } } };
  }

  function entry(operation: Managed['operation'], data: object, manager = 'keyturn'): Managed {
    const fields = Object.fromEntries(Object.keys(data).map((key) => [`f:${key}`, {}]));
    return {
      manager,
      operation,
      time: new Date().toISOString(),
      fieldsV1: { 'f:data': { '.': {}, ...fields } },
    };
  }

  function touch(stored: Stored): void {
    version += 1;
    stored.version = version;
  }

  function shown(name: string, { data, managed, immutable, version }: Stored) {
    const metadata = {
      name,
      namespace: NAMESPACE,
      resourceVersion: String(version),
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: managed.map((each) => ({ ...each, time: state.changedAt ?? each.time })),
    };
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata,
      data,
      ...(immutable ? { immutable } : {}),
    };
  }

  return {
    ...server,
    secrets,
    workloads,
    restarts: () => restarts,
    get token() {
      return state.token;
    },
    set token(token) {
      state.token = token;
    },
    get allowed() {
      return state.allowed;
    },
    set allowed(allowed) {
      state.allowed = allowed;
    },
    get changedAt() {
      return state.changedAt;
    },
    set changedAt(changedAt) {
      state.changedAt = changedAt;
    },
    put(name, data) {
      const encoded = Object.fromEntries(
        Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
      );
      const found = secrets.get(name) ?? { data: {}, version: 0, managed: [], immutable: false };
      Object.assign(found.data, encoded);
      found.managed.push(entry('Update', encoded, 'kubectl-edit'));
      secrets.set(name, found);
      touch(found);
    },
    data(name) {
      const found = secrets.get(name);
      return (
        found &&
        Object.fromEntries(
          Object.entries(found.data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
        )
      );
    },
  };
}
