import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type Asked, demand, type StrictServer, startStrictServer, type Told } from './strict-server.ts';

/** What the double of Vault keeps of one secret. */
interface Entry {
  readonly versions: Map<number, Stored>;
  latest: number;
  max: number;
  casRequired: boolean;
}

interface Stored {
  data: Record<string, unknown> | undefined;
  readonly at: string;
}

export interface FakeVault extends StrictServer {
  /** Tokens that are accepted, with the paths that each may use; undefined: all. */
  readonly tokens: Map<string, RegExp | undefined>;
  /** The secrets by their path in the mount. */
  readonly secrets: Map<string, Entry>;
  /** How many logins there were. */
  readonly logins: () => number;
  /** As an operator does it: the next version. */
  put(path: string, data: Record<string, unknown>): void;
  /** The latest version, as a reader that names none gets it. */
  latest(path: string): Record<string, unknown> | undefined;
  sealed: boolean;
  /** What a token learns of itself: an answer, or the status of a refusal. */
  self: { readonly ttl: number; readonly renewable: boolean } | number;
  /** How often a token was renewed. */
  readonly renewals: () => number;
  /** What answers tell as the instant of a version; undefined: when it was written. */
  createdTime: string | undefined;
}

export const ROOT_TOKEN = 'hvs.root';
export const APP_ROLE = { roleId: 'role-1', secretId: 'secret-1' };
export const POD = { role: 'keyturn', jwt: 'header.payload.signature' };

const write = z.strictObject({
  options: z.strictObject({ cas: z.int().min(0) }),
  data: z.record(z.string(), z.unknown()),
});
const settings = z.strictObject({ max_versions: z.int().min(0), cas_required: z.boolean() });

/**
 * A double of HashiCorp Vault with a KV engine of version 2 at `secret/`, as far as its API is documented:
 * https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
 */
export async function startFakeVault({
  namespace,
  kvVersion = '2',
  ttl = 3600,
}: {
  readonly namespace?: string;
  readonly kvVersion?: '1' | '2';
  /** Of tokens that a login gives, in seconds. */
  readonly ttl?: number;
} = {}): Promise<FakeVault> {
  const tokens = new Map<string, RegExp | undefined>([[ROOT_TOKEN, undefined]]);
  const secrets = new Map<string, Entry>();
  let logins = 0;
  let renewals = 0;
  const state: Pick<FakeVault, 'sealed' | 'self' | 'createdTime'> = {
    sealed: false,
    self: { ttl: 0, renewable: false },
    createdTime: undefined,
  };
  const server = await startStrictServer((asked) => {
    demand(asked.headers['x-vault-request'] === 'true', 'no X-Vault-Request');
    demand(asked.headers['x-vault-namespace'] === namespace, 'another namespace');
    demand(asked.query.size === 0, 'a query');
    const hasBody = asked.body !== undefined;
    demand(hasBody === (asked.method === 'POST'), 'a body where none belongs, or none where one does');
    if (hasBody) demand(asked.headers['content-type'] === 'application/json', 'no JSON');
    if (state.sealed) return { status: 503, body: { errors: ['Vault is sealed'] } };
    return asked.path.startsWith('/v1/auth/') && asked.path.endsWith('/login')
      ? login(asked)
      : authorized(asked);
  });

  function login({ method, path, body }: Asked): Told {
    demand(method === 'POST', 'a login is a POST');
    const expected = new Map<string, unknown>([
      ['/v1/auth/approle/login', { role_id: APP_ROLE.roleId, secret_id: APP_ROLE.secretId }],
      ['/v1/auth/kubernetes/login', POD],
    ]).get(path);
    demand(expected !== undefined, 'an unknown way to log in');
    logins += 1;
    demand(
      JSON.stringify(Object.keys(body as object).sort()) ===
        JSON.stringify(Object.keys(expected as object).sort()),
      'other keys',
    );
    if (JSON.stringify(body) !== JSON.stringify(expected))
      return { status: 400, body: { errors: ['invalid'] } };
    const token = `hvs.${randomUUID()}`;
    tokens.set(token, undefined);
    return { status: 200, body: { auth: { client_token: token, lease_duration: ttl, renewable: true } } };
  }

  function authorized(asked: Asked): Told {
    const token = asked.headers['x-vault-token'];
    demand(typeof token === 'string', 'no X-Vault-Token');
    const allowed = tokens.get(token);
    const isAllowed =
      tokens.has(token) && (allowed === undefined || allowed.test(`${asked.method} ${asked.path}`));
    if (!isAllowed) return { status: 403, body: { errors: ['permission denied'] } };
    if (asked.path === '/v1/auth/token/lookup-self') {
      demand(asked.method === 'GET', 'a look-up is a GET');
      return typeof state.self === 'number'
        ? { status: state.self, body: { errors: [] } }
        : { status: 200, body: { data: state.self } };
    }
    if (asked.path === '/v1/auth/token/renew-self') {
      demand(asked.method === 'POST', 'a renewal is a POST');
      renewals += 1;
      return { status: 200, body: { auth: { client_token: token, lease_duration: ttl, renewable: true } } };
    }
    if (asked.path === '/v1/sys/internal/ui/mounts/secret') {
      demand(asked.method === 'GET', 'a look-up is a GET');
      return { status: 200, body: { data: { type: 'kv', options: { version: kvVersion } } } };
    }
    if (asked.path === '/v1/sys/capabilities-self') return capabilities(asked, allowed);
    const [, place, path] = /^\/v1\/secret\/(data|metadata)\/(.+)$/.exec(asked.path) ?? [];
    demand(path !== undefined, 'an unknown path');
    demand(!path.includes('//') && !path.endsWith('/'), 'an empty part');
    return place === 'data' ? data(asked, path) : metadata(asked, path);
  }

  function capabilities({ method, body }: Asked, allowed: RegExp | undefined): Told {
    demand(method === 'POST', 'asked with POST');
    const { paths } = z.strictObject({ paths: z.array(z.string()) }).parse(body);
    const may = (path: string) =>
      allowed === undefined || allowed.test(`POST /v1/${path}`) ? ['create', 'read', 'update'] : ['read'];
    const found = Object.fromEntries(paths.map((path) => [path, may(path)]));
    return { status: 200, body: { data: { ...found, capabilities: [] } } };
  }

  function data({ method, body }: Asked, path: string): Told {
    if (method === 'GET') return readData(path);
    demand(method === 'POST', 'only GET and POST');
    const { options, data } = write.parse(body);
    const entry = entryOf(path);
    if (options.cas !== entry.latest) return { status: 400, body: { errors: ['check-and-set'] } };
    store(entry, data);
    return { status: 200, body: { data: { version: entry.latest, created_time: new Date().toISOString() } } };
  }

  function readData(path: string): Told {
    const entry = secrets.get(path);
    const found = entry?.versions.get(entry.latest);
    if (entry === undefined || found === undefined) return { status: 404, body: { errors: [] } };
    const metadata = {
      version: entry.latest,
      created_time: state.createdTime ?? found.at,
      destroyed: false,
      custom_metadata: null,
    };
    return found.data === undefined
      ? { status: 404, body: { data: { data: null, metadata: { ...metadata, deletion_time: found.at } } } }
      : { status: 200, body: { data: { data: found.data, metadata: { ...metadata, deletion_time: '' } } } };
  }

  function metadata({ method, body }: Asked, path: string): Told {
    if (method === 'DELETE') {
      secrets.delete(path);
      return { status: 204 };
    }
    demand(method === 'POST', 'only POST and DELETE');
    const { max_versions, cas_required } = settings.parse(body);
    const entry = entryOf(path);
    entry.max = max_versions;
    entry.casRequired = cas_required;
    return { status: 204 };
  }

  function entryOf(path: string): Entry {
    const entry = secrets.get(path) ?? { versions: new Map(), latest: 0, max: 10, casRequired: false };
    secrets.set(path, entry);
    return entry;
  }

  function store(entry: Entry, data: Record<string, unknown>): void {
    entry.latest += 1;
    entry.versions.set(entry.latest, { data, at: new Date().toISOString() });
    entry.versions.delete(entry.latest - entry.max);
  }

  return {
    ...server,
    tokens,
    secrets,
    logins: () => logins,
    get sealed() {
      return state.sealed;
    },
    set sealed(sealed) {
      state.sealed = sealed;
    },
    renewals: () => renewals,
    get self() {
      return state.self;
    },
    set self(self) {
      state.self = self;
    },
    get createdTime() {
      return state.createdTime;
    },
    set createdTime(createdTime) {
      state.createdTime = createdTime;
    },
    put: (path, data) => store(entryOf(path), data),
    latest(path) {
      const entry = secrets.get(path);
      return entry?.versions.get(entry.latest)?.data;
    },
  };
}
