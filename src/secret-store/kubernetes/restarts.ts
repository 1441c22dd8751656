import { createHash } from 'node:crypto';
import * as z from 'zod';
import { systemClock } from '../../clock.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import type { Unit } from '../shelf/backend.ts';
import type { KubernetesRequests, Resource } from './kubernetes-requests.ts';

const KINDS = { deployment: 'deployments', statefulset: 'statefulsets', daemonset: 'daemonsets' } as const;

/** What `kubectl rollout restart` sets. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

const workload = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).nullish() }).nullish(),
    }),
  }),
});

/** Restarts what reads secrets only when it starts. */
export class Restarts {
  readonly #store: string;
  readonly #targets: readonly string[];
  readonly #requests: KubernetesRequests;

  /** `targets` are texts such as `deployment/web`. */
  constructor(store: string, targets: readonly string[], requests: KubernetesRequests) {
    this.#store = store;
    this.#targets = targets;
    this.#requests = requests;
  }

  /**
   * Restarts each target, once for a version of these units: the same request notes the version in
   * annotations. A target that is gone by now has nobody to restart.
   */
  async restart(units: readonly Unit[], token: string): Promise<void> {
    const noted = Object.fromEntries(units.map(({ name }) => [annotationOf(name), token]));
    for (const target of this.#targets) {
      const found = await this.#annotations(target);
      if (found === undefined) continue;
      if (Object.entries(noted).every(([key, value]) => found[key] === value)) continue;
      const annotations = { ...noted, [RESTARTED_AT]: new Date(systemClock.now()).toISOString() };
      const body = { spec: { template: { metadata: { annotations } } } };
      const type = 'application/strategic-merge-patch+json';
      const request = { verb: 'patch', query: { fieldManager: 'keyturn' }, body, type } as const;
      await this.#requests.send(resourceOf(target), request, [404]);
    }
  }

  /** The targets that do not exist. */
  async missing(): Promise<Fact<'restart-target-missing'>[]> {
    const found: Fact<'restart-target-missing'>[] = [];
    for (const target of this.#targets) {
      if ((await this.#annotations(target)) !== undefined) continue;
      const namespace = await this.#requests.namespace();
      found.push(fact('restart-target-missing', { store: this.#store, target, namespace }));
    }
    return found;
  }

  /** Of the pods that a target makes; undefined when it does not exist. */
  async #annotations(target: string): Promise<Readonly<Record<string, string>> | undefined> {
    const { status, json } = await this.#requests.send(resourceOf(target), { verb: 'get' }, [404]);
    if (status === 404) return undefined;
    return workload.safeParse(json).data?.spec.template.metadata?.annotations ?? {};
  }
}

function resourceOf(target: string): Resource {
  const [kind = '', name = ''] = target.split('/');
  // The configuration was validated.
  return { group: 'apps', resource: KINDS[kind as keyof typeof KINDS], name };
}

/** The part after the slash has 63 characters at most. */
function annotationOf(name: string): string {
  const short = name.length <= 63 ? name : createHash('sha256').update(name).digest('hex').slice(0, 40);
  return `keyturn.dev/${short}`;
}
