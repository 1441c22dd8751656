import * as z from 'zod';
import type { VaultStoreConfig } from '../../config/stores.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import { instantOf } from '../adapter-rules.ts';
import { type HttpAnswer, HttpClient, type HttpRequest } from '../http/http-client.ts';
import { type Asked, failureFault, jsonOf, statusFault } from '../http/http-fault.ts';
import { sendPatiently } from '../http/patient-client.ts';
import { VaultLogin } from './vault-login.ts';

/** The latest version of a secret. */
export interface VaultSecret {
  readonly version: number;
  /** Undefined where that version was deleted. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly since: Date | undefined;
}

type Capability = 'create' | 'read' | 'update' | 'delete';

const metadata = z.object({ version: z.number(), created_time: z.string().optional() });
const secretAnswer = z.object({
  data: z.object({ data: z.record(z.string(), z.unknown()).nullable(), metadata }),
});
const mountAnswer = z.object({
  data: z.object({
    type: z.string(),
    options: z.record(z.string(), z.unknown()).nullish(),
  }),
});
const capabilitiesAnswer = z.object({ data: z.record(z.string(), z.unknown()) });

/**
 * Requests to a KV engine of version 2, of one secret each: absent, or a Fault.
 * https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
 */
export class VaultRequests {
  readonly #store: string;
  readonly #mount: string;
  readonly #client: HttpClient;
  readonly #login: VaultLogin;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ name, url, mount, namespace, auth, tls }: VaultStoreConfig, client?: HttpClient) {
    this.#store = name;
    this.#mount = mount;
    this.#client = client ?? new HttpClient({ url, ...(tls ? { tls } : {}) });
    this.#headers = {
      accept: 'application/json',
      // Agents and proxies of Vault may be told to refuse requests without it.
      'x-vault-request': 'true',
      ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    };
    this.#login = new VaultLogin(name, auth, (request, asked) => this.#send(request, asked));
  }

  /** Undefined when the secret has no version, or does not exist. */
  async read(secret: string): Promise<VaultSecret | undefined> {
    const asked = { store: this.#store, secret, action: 'read' };
    const answer = await this.#authorized({ method: 'GET', path: this.#dataPath(secret) }, asked);
    if (answer.status !== 200 && answer.status !== 404) throw this.#faultOf(answer, asked, ['read']);
    // Of a deleted version the server tells with 404 which one it is.
    const parsed = secretAnswer.safeParse(jsonOf(answer, asked));
    if (!parsed.success) {
      if (answer.status === 404) return undefined;
      throw fault('store-answer-invalid', { ...asked, why: 'unexpected' });
    }
    const { data, metadata } = parsed.data.data;
    const since = instantOf(metadata.created_time);
    return { version: metadata.version, data: data ?? undefined, since };
  }

  /** Writes the next version, if the latest is still `version`; 0: there is none. */
  async write(secret: string, data: object, version: number): Promise<boolean> {
    const asked = { store: this.#store, secret, action: 'write' };
    const body = JSON.stringify({ options: { cas: version }, data });
    const answer = await this.#authorized({ method: 'POST', path: this.#dataPath(secret), body }, asked);
    if (answer.status === 200 || answer.status === 204) return true;
    // 400 has several causes that only the server's words tell apart. Asks the secret.
    if (answer.status === 400 && ((await this.read(secret))?.version ?? 0) !== version) return false;
    throw this.#faultOf(answer, asked, ['create', 'update']);
  }

  /** Has the engine keep one version only, before the first is written. */
  async keepOneVersion(secret: string): Promise<void> {
    const asked = { store: this.#store, secret, action: 'write of the metadata' };
    const body = JSON.stringify({ max_versions: 1, cas_required: true });
    const answer = await this.#authorized({ method: 'POST', path: this.#metadataPath(secret), body }, asked);
    if (answer.status !== 200 && answer.status !== 204) {
      throw this.#faultOf(answer, asked, ['create', 'update'], 'metadata');
    }
  }

  /** Deletes every version for good. */
  async delete(secret: string): Promise<void> {
    const asked = { store: this.#store, secret, action: 'delete' };
    const answer = await this.#authorized({ method: 'DELETE', path: this.#metadataPath(secret) }, asked);
    if (![200, 204, 404].includes(answer.status)) {
      throw this.#faultOf(answer, asked, ['delete'], 'metadata');
    }
  }

  /** False when something else is mounted there; undefined when nobody tells. */
  async isMountUsable(): Promise<boolean | undefined> {
    const asked = { store: this.#store, secret: this.#mount, action: 'look at the mount' };
    const path = `/v1/sys/internal/ui/mounts/${encoded(this.#mount)}`;
    const answer = await this.#authorized({ method: 'GET', path }, asked);
    if (answer.status !== 200) return undefined;
    const parsed = mountAnswer.safeParse(jsonOf(answer, asked));
    if (!parsed.success) return undefined;
    const { type, options } = parsed.data.data;
    return type === 'kv' && options?.version === '2';
  }

  /** Throws `vault-denied` where the token may not write the secret, as far as the server tells. */
  async requireWritable(secret: string): Promise<void> {
    const asked = { store: this.#store, secret, action: 'look at the capabilities' };
    const path = `${this.#mount}/data/${secret}`;
    const body = JSON.stringify({ paths: [path] });
    const request = { method: 'POST', path: '/v1/sys/capabilities-self', body } as const;
    const answer = await this.#authorized(request, asked);
    if (answer.status !== 200) return;
    const found = capabilitiesAnswer.safeParse(jsonOf(answer, asked)).data?.data[path];
    if (!Array.isArray(found) || found.includes('root')) return;
    if (!['create', 'update'].every((each) => found.includes(each))) {
      throw this.#denied(secret, ['create', 'read', 'update'], 'data');
    }
  }

  mountUnusable() {
    return { store: this.#store, mount: this.#mount };
  }

  close(): void {
    this.#client.close();
  }

  /** Logs in once more where a token that was got by a login may be over. */
  async #authorized(request: HttpRequest, asked: Asked): Promise<HttpAnswer> {
    const token = await this.#login.token();
    const sendWith = (sent: string) => this.#send({ ...request, headers: { 'x-vault-token': sent } }, asked);
    const answer = await sendWith(token);
    if (answer.status !== 403 || !this.#login.isRepeatable) return answer;
    await this.#login.forget(token);
    return sendWith(await this.#login.token());
  }

  async #send({ headers, ...request }: HttpRequest, asked: Asked): Promise<HttpAnswer> {
    const json: Record<string, string> =
      request.body === undefined ? {} : { 'content-type': 'application/json' };
    try {
      return await sendPatiently(this.#client, {
        ...request,
        headers: { ...this.#headers, ...json, ...headers },
      });
    } catch (error) {
      throw failureFault(error, asked);
    }
  }

  #faultOf(
    answer: HttpAnswer,
    asked: Asked,
    capabilities: readonly Capability[],
    place: 'data' | 'metadata' = 'data',
  ): Fault {
    const { status } = answer;
    if (status === 403) return this.#denied(asked.secret, capabilities, place);
    if (status === 404 || status === 405) return fault('vault-mount-unusable', this.mountUnusable());
    if (status === 503) return fault('vault-sealed', { store: this.#store });
    // A standby that has not yet what another server wrote.
    if (status === 412) return fault('store-unreachable', { ...asked, detail: 'HTTP 412' });
    return statusFault(answer, asked);
  }

  #denied(secret: string, capabilities: readonly Capability[], place: 'data' | 'metadata'): Fault {
    const path = `${this.#mount}/${place}/${secret}`;
    return fault('vault-denied', { store: this.#store, secret, path, capabilities });
  }

  #dataPath(secret: string): string {
    return `/v1/${encoded(this.#mount)}/data/${encoded(secret)}`;
  }

  #metadataPath(secret: string): string {
    return `/v1/${encoded(this.#mount)}/metadata/${encoded(secret)}`;
  }
}

function encoded(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
