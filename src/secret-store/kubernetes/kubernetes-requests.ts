import { isDeepStrictEqual } from 'node:util';
import type { KubernetesStoreConfig } from '../../config/stores.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import { type HttpAnswer, HttpClient, type HttpRequest, type HttpTarget } from '../http/http-client.ts';
import { type Asked, failureFault, jsonOf, statusFault } from '../http/http-fault.ts';
import { sendPatiently } from '../http/patient-client.ts';
import { type ClusterAccess, clusterAccess } from './cluster-access.ts';

/** An object of the API, and for faults what it is. */
export interface Resource {
  /** Empty: the core API. */
  readonly group: '' | 'apps';
  readonly resource: 'secrets' | 'deployments' | 'statefulsets' | 'daemonsets';
  readonly name: string;
}

export interface ApiRequest {
  readonly verb: 'get' | 'create' | 'patch' | 'delete';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly type?: 'application/apply-patch+yaml' | 'application/strategic-merge-patch+json';
}

const METHODS = { get: 'GET', create: 'POST', patch: 'PATCH', delete: 'DELETE' } as const;

interface Reached {
  readonly access: ClusterAccess;
  readonly client: HttpClient;
}

/**
 * Requests to the API server, of one object each. The statuses that `expected` names are an answer,
 * all others a Fault. https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
export class KubernetesRequests {
  readonly #config: KubernetesStoreConfig;
  #reached: Promise<Reached> | undefined;
  /** Of each way to the server since the beginning: requests may be under way on all of them. */
  readonly #clients: { readonly target: HttpTarget; readonly client: HttpClient }[] = [];

  constructor(config: KubernetesStoreConfig) {
    this.#config = config;
  }

  async send(
    of: Resource,
    request: ApiRequest,
    expected: readonly number[],
  ): Promise<{ readonly status: number; readonly json: unknown }> {
    const asked = { store: this.#config.name, secret: of.name, action: request.verb };
    let reached = await this.#reach();
    let answer = await this.#sendAs(reached, of, request, asked);
    if (answer.status === 401) {
      await this.#forget(reached);
      reached = await this.#reach();
      answer = await this.#sendAs(reached, of, request, asked);
    }
    const isExpected = (answer.status >= 200 && answer.status < 300) || expected.includes(answer.status);
    if (!isExpected) throw this.#faultOf(reached, of, request, answer, asked);
    return { status: answer.status, json: jsonOf(answer, asked) };
  }

  async close(): Promise<void> {
    await this.#reached?.catch(() => undefined);
    for (const { client } of this.#clients) client.close();
  }

  async namespace(): Promise<string> {
    return (await this.#reach()).access.namespace;
  }

  async #reach(): Promise<Reached> {
    this.#reached ??= clusterAccess(this.#config).then((access) => ({
      access,
      client: this.#clientOf(access),
    }));
    try {
      return await this.#reached;
    } catch (error) {
      this.#reached = undefined;
      throw error;
    }
  }

  /** The same client for the same way: a token is in each request, and not in the connection. */
  #clientOf({ url, tls }: ClusterAccess): HttpClient {
    const target: HttpTarget = { url, ...(tls === undefined ? {} : { tls }) };
    const known = this.#clients.find((each) => isDeepStrictEqual(each.target, target));
    if (known) return known.client;
    const client = new HttpClient(target);
    this.#clients.push({ target, client });
    return client;
  }

  /** Has the next request read the credential again. Requests that are under way go on. */
  async #forget(refused: Reached): Promise<void> {
    if ((await this.#reached) === refused) this.#reached = undefined;
  }

  async #sendAs(
    { access, client }: Reached,
    of: Resource,
    { verb, query = {}, body, type }: ApiRequest,
    asked: Asked,
  ): Promise<HttpAnswer> {
    const search = new URLSearchParams(query).toString();
    const request: HttpRequest = {
      method: METHODS[verb],
      path: pathOf(access.namespace, of, verb) + (search === '' ? '' : `?${search}`),
      headers: {
        accept: 'application/json',
        ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
        ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    try {
      return await sendPatiently(client, request);
    } catch (error) {
      throw failureFault(error, asked);
    }
  }

  #faultOf(
    { access: { namespace } }: Reached,
    { group, resource, name }: Resource,
    { verb }: ApiRequest,
    answer: HttpAnswer,
    asked: Asked,
  ): Fault {
    const { name: store, kubeconfig } = this.#config;
    if (answer.status === 403) {
      return fault('kubernetes-denied', { store, namespace, group, resource, name, verb });
    }
    if (answer.status === 401) {
      const method = kubeconfig === undefined ? 'serviceAccount' : 'kubeconfig';
      return fault('store-login-refused', { store, method, detail: 'HTTP 401' });
    }
    // Where an object is made, only its namespace can be missing.
    if (answer.status === 404 && verb === 'create') {
      return fault('kubernetes-namespace-missing', { store, namespace });
    }
    return statusFault(answer, asked);
  }
}

function pathOf(namespace: string, { group, resource, name }: Resource, verb: ApiRequest['verb']): string {
  const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  const all = `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
  return verb === 'create' ? all : `${all}/${encodeURIComponent(name)}`;
}
