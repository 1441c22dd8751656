import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { VaultAuth } from '../../config/stores.ts';
import { fault } from '../../facts/fault.ts';
import type { HttpAnswer, HttpRequest } from '../http/http-client.ts';
import { type Asked, jsonOf, statusFault } from '../http/http-fault.ts';

/** Where Kubernetes mounts the token of a pod's service account. */
const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** When a token is looked at again of which nothing could be learned, in seconds. */
const LOOK_AGAIN_S = 60;

const login = z.object({ auth: z.object({ client_token: z.string().min(1), lease_duration: z.number() }) });
const lookup = z.object({ data: z.object({ ttl: z.number(), renewable: z.boolean().optional() }) });
const renewal = z.object({ auth: z.object({ lease_duration: z.number() }) });

/** Sends a request of which the answer is judged here. */
type Send = (request: HttpRequest, asked: Asked) => Promise<HttpAnswer>;

/**
 * The token that requests carry. It is renewed, or got anew, when half of its time is over.
 * https://developer.hashicorp.com/vault/docs/concepts/tokens
 */
export class VaultLogin {
  readonly #store: string;
  readonly #auth: VaultAuth;
  readonly #send: Send;
  #token: Promise<string> | undefined;
  /** When the token is looked at again, in milliseconds of `performance.now()`. */
  #renewAt = Number.POSITIVE_INFINITY;

  constructor(store: string, auth: VaultAuth, send: Send) {
    this.#store = store;
    this.#auth = auth;
    this.#send = send;
  }

  /** Whether another login may give another token. */
  get isRepeatable(): boolean {
    return this.#auth.token === undefined;
  }

  async token(): Promise<string> {
    if (performance.now() >= this.#renewAt) {
      this.#renewAt = Number.POSITIVE_INFINITY;
      this.#token = undefined;
    }
    this.#token ??= this.#begin();
    try {
      return await this.#token;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  /** Has the next request log in again, unless another did so already. */
  async forget(refused: string): Promise<void> {
    if ((await this.#token) === refused) this.#token = undefined;
  }

  #begin(): Promise<string> {
    const { token, appRole, kubernetes } = this.#auth;
    if (token !== undefined) return this.#renewed(token);
    if (appRole !== undefined) {
      const { roleId, secretId, mount = 'approle' } = appRole;
      return this.#logIn('appRole', mount, { role_id: roleId, secret_id: secretId });
    }
    // The configuration has exactly one of the three.
    return this.#logInFromPod(kubernetes ?? { role: '' });
  }

  async #logInFromPod({ role, mount = 'kubernetes', tokenPath = POD_TOKEN }: PodRole): Promise<string> {
    const jwt = await readFile(tokenPath, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
      const refused = { store: this.#store, method: 'kubernetes', detail: `${code} ${tokenPath}` } as const;
      throw fault('store-login-refused', refused);
    });
    return this.#logIn('kubernetes', mount, { role, jwt: jwt.trim() });
  }

  async #logIn(method: 'appRole' | 'kubernetes', mount: string, body: object): Promise<string> {
    const asked = { store: this.#store, secret: `auth/${mount}`, action: 'login' };
    const answer = await this.#send(
      { method: 'POST', path: `/v1/auth/${mount}/login`, body: JSON.stringify(body) },
      asked,
    );
    if (answer.status >= 400 && answer.status < 429) {
      throw fault('store-login-refused', { store: this.#store, method, detail: `HTTP ${answer.status}` });
    }
    if (answer.status !== 200) throw statusFault(answer, asked);
    const parsed = login.safeParse(jsonOf(answer, asked));
    if (!parsed.success) throw fault('store-answer-invalid', { ...asked, why: 'unexpected' });
    const { client_token, lease_duration } = parsed.data.auth;
    this.#keepFor(lease_duration);
    return client_token;
  }

  /**
   * A configured token, renewed where its own time is limited. Whether that works shows when it is
   * used: a policy may well forbid both requests. Any other answer says nothing for later.
   */
  async #renewed(token: string): Promise<string> {
    const headers = { 'x-vault-token': token };
    const asked = { store: this.#store, secret: 'auth/token', action: 'renewal' };
    const found = await this.#send({ method: 'GET', path: '/v1/auth/token/lookup-self', headers }, asked);
    if (found.status === 403 || found.status === 404) return token;
    const self = found.status === 200 ? lookup.safeParse(jsonOf(found, asked)).data?.data : undefined;
    if (self === undefined) this.#lookAgainIn(LOOK_AGAIN_S);
    if (self === undefined || self.ttl === 0 || self.renewable !== true) return token;
    const body = '{}';
    const answer = await this.#send(
      { method: 'POST', path: '/v1/auth/token/renew-self', headers, body },
      asked,
    );
    const renewed = answer.status === 200 ? renewal.safeParse(jsonOf(answer, asked)).data : undefined;
    this.#keepFor(renewed?.auth.lease_duration ?? self.ttl);
    return token;
  }

  /** Zero: for ever. */
  #keepFor(seconds: number): void {
    this.#lookAgainIn(seconds > 0 ? seconds / 2 : Number.POSITIVE_INFINITY);
  }

  #lookAgainIn(seconds: number): void {
    this.#renewAt = performance.now() + seconds * 1000;
  }
}

type PodRole = NonNullable<VaultAuth['kubernetes']>;
