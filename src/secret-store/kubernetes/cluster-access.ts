import { readFile } from 'node:fs/promises';
import type { KubernetesStoreConfig } from '../../config/stores.ts';
import { fault } from '../../facts/fault.ts';
import type { HttpTarget } from '../http/http-client.ts';
import { readKubeconfig } from './kubeconfig.ts';

/** Where Kubernetes mounts what a pod needs to reach the API server. */
const POD = '/var/run/secrets/kubernetes.io/serviceaccount';

/** How to reach an API server, and as whom. */
export interface ClusterAccess extends HttpTarget {
  /** Left out: a client certificate says who it is. */
  readonly token?: string;
  readonly namespace: string;
}

/**
 * From a kubeconfig, or as a pod of the cluster. Read anew when a token was refused: Kubernetes
 * replaces that of a pod every hour. Throws `kubernetes-config-unusable`.
 */
export async function clusterAccess(config: KubernetesStoreConfig, pod = POD): Promise<ClusterAccess> {
  const { name, namespace, kubeconfig } = config;
  if (kubeconfig !== undefined) {
    const access = await readKubeconfig(name, kubeconfig, config.context);
    return { ...access, namespace: namespace ?? access.namespace };
  }
  const [ca, token, own] = await Promise.all([
    readPart(name, `${pod}/ca.crt`),
    readPart(name, `${pod}/token`),
    namespace ?? readPart(name, `${pod}/namespace`),
  ]);
  // This name is in the certificate of every cluster, and needs no variable.
  return { url: 'https://kubernetes.default.svc', tls: { ca }, token, namespace: own };
}

async function readPart(store: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw fault('kubernetes-config-unusable', { store, file: path, why: 'unreadable', detail: String(code) });
  });
  return text.trim();
}
