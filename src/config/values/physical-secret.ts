import { dirname, resolve } from 'node:path';
import type { Store } from '../stores.ts';

/** A secret itself, whatever store entry and spelling it is reached by. */
export interface PhysicalSecret {
  readonly id: string;
  /** What one version covers: the secret on AWS, the folder in a file store. */
  readonly versioned: string;
  /** Region and account, where an ARN names them. */
  readonly account?: string;
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
const AWS_NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const AWS_ARN = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+:\d{12}):secret:([A-Za-z0-9/_+=.@-]{1,519})$/;

/** Whether a store takes a secret of this name. */
export function isSecretName(store: Store, secret: string): boolean {
  switch (store.type) {
    case 'file':
      return isRelativePath(secret);
    case 'aws-secrets-manager':
      return AWS_NAME.test(secret) || AWS_ARN.test(secret);
    case 'aws-parameter-store':
      return isParameterName(secret, store.staging);
    case 'vault':
      return isVaultPath(secret, store.staging);
    case 'kubernetes':
      return isKeyOfSecret(secret);
    case 'module':
      return /^[^\p{Cc}]{1,512}$/u.test(secret);
  }
}

/**
 * At most 15 levels, of which one is for what is staged.
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
 */
function isParameterName(name: string, staging: string): boolean {
  const levels = name.replace(/^\//, '').split('/');
  const isPlain = levels.length === 1 || name.startsWith('/');
  const [first = ''] = levels;
  const isFree = !/^(aws|ssm)/i.test(first) && first !== staging;
  return isPlain && isFree && levels.length <= 14 && name.length <= 900 && levels.every(isLevel);
}

/** Parts that need no thought in a URL or a policy; not in the place of what is staged. */
function isVaultPath(path: string, staging: string): boolean {
  const isFree = path !== staging && !path.startsWith(`${staging}/`);
  const isPart = (part: string) => /^(?!\.{1,2}$)[\w .@+=:,~-]+$/.test(part) && part.trim() === part;
  return isFree && path.length <= 512 && path.split('/').every(isPart);
}

/**
 * A Secret and one key of it. A name that ends like that of a staging Secret is keyturn's own.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */
function isKeyOfSecret(secret: string): boolean {
  const [name = '', key = '', ...more] = secret.split('/');
  const isName = /^[a-z0-9]([a-z0-9.-]{0,240}[a-z0-9])?$/.test(name) && !name.endsWith('.keyturn');
  return more.length === 0 && isName && /^(?!\.{1,2}$)[\w.-]{1,253}$/.test(key);
}

function isLevel(level: string): boolean {
  return /^[\w.-]+$/.test(level);
}

/** `..data` and its like belong to the store itself, as in a mounted Kubernetes secret. */
function isRelativePath(name: string): boolean {
  const parts = name.split('/');
  return parts.every((part) => /^(?!\.\.|\.$)[^\p{Cc}\\]+$/u.test(part) && Buffer.byteLength(part) <= 255);
}

/** The secret that a valid name means. */
export function physicalSecret(store: Store, secret: string): PhysicalSecret {
  if (store.type === 'file') {
    const id = resolve(store.path, secret);
    return { id, versioned: dirname(id) };
  }
  if (store.type === 'vault') {
    const id = `vault ${new URL(store.url).href} ${store.namespace} ${store.mount} ${secret}`;
    return { id, versioned: id };
  }
  if (store.type === 'module') {
    const id = `module ${store.module} ${JSON.stringify(store.options)} ${secret}`;
    return { id, versioned: id };
  }
  if (store.type === 'kubernetes') {
    const { kubeconfig, context, namespace } = store;
    const id = `kubernetes ${kubeconfig} ${context} ${namespace} ${secret}`;
    return { id, versioned: id.slice(0, id.lastIndexOf('/')) };
  }
  const service = `${store.type} ${store.region} ${store.endpoint} ${store.role?.arn} `;
  if (store.type === 'aws-parameter-store') {
    // `orders` and `/orders` are one parameter.
    const id = service + secret.replace(/^\//, '');
    return { id, versioned: id };
  }
  const [, account, suffixed] = AWS_ARN.exec(secret) ?? [];
  if (account === undefined || suffixed === undefined) {
    return { id: service + secret, versioned: service + secret };
  }
  // A whole ARN ends in a hyphen and six characters of the service's choice.
  const id = service + suffixed.replace(/-[A-Za-z0-9]{6}$/, '');
  return { id, versioned: id, account };
}

/** Whether two are one secret; a name and an ARN are, if they could be. */
export function isSameSecret(one: PhysicalSecret, other: PhysicalSecret): boolean {
  return one.id === other.id && sharesAccount(one, other);
}

/** Whether two get their versions together. */
export function sharesVersions(one: PhysicalSecret, other: PhysicalSecret): boolean {
  return one.versioned === other.versioned && sharesAccount(one, other);
}

function sharesAccount({ account: one }: PhysicalSecret, { account: other }: PhysicalSecret): boolean {
  return one === undefined || other === undefined || one === other;
}
