import type { StoreFacts } from '../../facts/store-facts.ts';
import type { Messages } from '../message.ts';

type KubernetesCode = (`kubernetes-${string}` & keyof StoreFacts) | 'restart-target-missing';
type Unusable = StoreFacts['kubernetes-config-unusable'];

const WHY: Readonly<Record<Unusable['why'], (unusable: Unusable) => string>> = {
  unreadable: ({ file, detail }) => `cannot read ${file}: ${detail}`,
  'no-kubeconfig': ({ file }) => `${file} is no kubeconfig`,
  context: ({ file }) => `${file} has no such context`,
  cluster: ({ file }) => `${file} lacks the cluster of its context`,
  user: ({ file }) => `${file} lacks the user of its context`,
  unverified: ({ file }) => `${file} says insecure-skip-tls-verify, so an impostor would get the token`,
  plaintext: ({ file }) => `${file} has a server with http://`,
  'no-credential': ({ file }) => `the user in ${file} has no token and no client certificate`,
};

export const kubernetesMessages: Messages<Pick<StoreFacts, KubernetesCode>> = {
  'kubernetes-denied': {
    text: ({ store, namespace, resource, name, verb }) =>
      `The store ${store}: keyturn may not ${verb} ${resource} ${name} in ${namespace}`,
    advice: ({ group, resource, name, verb }) =>
      // RBAC knows no name of what is not made yet.
      `allow it in a Role: { apiGroups: ["${group}"], resources: ["${resource}"], ${verb === 'create' ? '' : `resourceNames: ["${name}"], `}verbs: ["${verb}"] }`,
    means: 'No Role that is bound to keyturn allows the request. docs/stores.md has the whole Role.',
    example: {
      store: 'cluster',
      namespace: 'orders',
      group: '',
      resource: 'secrets',
      name: 'orders-db',
      verb: 'patch',
    },
  },
  'kubernetes-namespace-missing': {
    text: ({ store, namespace }) => `The store ${store}: the cluster has no namespace ${namespace}`,
    advice: 'make it, or set namespace',
    means: 'A Secret cannot be made, because its namespace does not exist.',
    example: { store: 'cluster', namespace: 'orders' },
  },
  'kubernetes-secret-immutable': {
    text: ({ store, secret }) => `The store ${store}: the Secret ${secret} is immutable`,
    advice: 'delete it and make it anew without immutable: true',
    means: 'Kubernetes changes no Secret that has `immutable: true`.',
    example: { store: 'cluster', secret: 'orders-db' },
  },
  'kubernetes-config-unusable': {
    text: (unusable) => `The store ${unusable.store}: ${WHY[unusable.why](unusable)}`,
    advice: 'correct it, or set kubeconfig; without one, keyturn runs as a pod with a service account',
    means:
      'Nothing tells how to reach the API server. Of the ways to log in, keyturn takes tokens and client certificates. It runs no plugin, and sends no token to a server that it cannot check.',
    example: { store: 'cluster', file: '/etc/keyturn/kubeconfig', why: 'context' },
  },
  'restart-target-missing': {
    text: ({ store, target, namespace }) =>
      `The store ${store}: there is no ${target} in ${namespace} to restart`,
    advice: 'correct restart of the store',
    means:
      'Something that is to be restarted after each promotion does not exist, so its pods would keep the old credential.',
    example: { store: 'cluster', target: 'deployment/web', namespace: 'orders' },
  },
};
