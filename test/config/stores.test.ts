import { expect, test } from 'vitest';
import { changed, load, problemsOf, VALID } from './config-folder.ts';

const stores = (...entries: readonly string[]) =>
  changed(['policies:', `${entries.map((entry) => `  more: ${entry}\n`).join('')}policies:`]);
const published = (store: string, secrets: string) =>
  changed(
    ['policies:', `  more: ${store}\npolicies:`],
    ['store: files', 'store: more'],
    ['{ username: orders/username, password: orders/password }', secrets],
  );
const stored = (store: string) => load(stores(store)).stores.get('more');
const PARAMETERS = '{ type: aws-parameter-store, region: eu-central-1 }';

test('a parameter store has its defaults', () => {
  expect(stored(PARAMETERS)).toEqual({
    name: 'more',
    type: 'aws-parameter-store',
    region: 'eu-central-1',
    staging: 'keyturn',
  });
});

test('a store of type kubernetes needs nothing but its type, and its keys of one Secret change together', () => {
  expect(stored('{ type: kubernetes }')).toEqual({ name: 'more', type: 'kubernetes', restart: [] });
  const mapped = (password: string) =>
    load(published('{ type: kubernetes }', `{ username: orders-db/username, password: ${password} }`))
      .warnings;
  expect(mapped('orders-db/password')).toEqual([]);
  expect(mapped('other/password').map(({ fact }) => fact.code)).toEqual(['credential-in-two-secrets']);
});

test('a store of type vault has its defaults', () => {
  expect(stored('{ type: vault, url: "https://v:8200", auth: { token: x } }')).toEqual({
    name: 'more',
    type: 'vault',
    url: 'https://v:8200',
    mount: 'secret',
    staging: 'keyturn',
    auth: { token: 'x' },
  });
});

test.each([
  [
    'an unknown type',
    stores('{ type: aws-parameter-stroe }'),
    'k.yaml:6:17 stores.more.type: "aws-parameter-stroe" is not valid; must be file, aws-secrets-manager, aws-parameter-store, vault, kubernetes or module; did you mean "aws-parameter-store"?',
  ],
  [
    'an unknown tier',
    stores('{ type: aws-parameter-store, tier: large }'),
    'k.yaml:6:44 stores.more.tier: "large" is not valid; must be standard, advanced or intelligent',
  ],
  [
    'no ARN of a role',
    stores('{ type: aws-secrets-manager, role: { arn: keyturn } }'),
    'k.yaml:6:51 stores.more.role.arn: "keyturn" is not valid; must be the ARN of a role, such as arn:aws:iam::123456789012:role/keyturn',
  ],
  [
    'a tag that AWS keeps for itself, and a region without its name',
    stores('{ type: aws-secrets-manager, tags: { team: 1 }, replicaRegions: [{ kmsKey: k }] }'),
    'k.yaml:6:52 stores.more.tags.team: is a number, not text (quote it); must be text: a key of 1 to 128 characters that does not begin with aws:, a value of up to 256',
    'k.yaml:6:74 stores.more.replicaRegions[0].region: is missing; must be an AWS region such as eu-central-1',
  ],
  [
    'plaintext to STS',
    stores(
      '{ type: aws-secrets-manager, role: { arn: "arn:aws:iam::123456789012:role/k", endpoint: "http://sts.internal" } }',
    ),
    'k.yaml:6:97 stores.more.role.endpoint: goes over the network in plaintext, secrets and passwords too; must be https://, or have tls: { mode: disable } beside it to allow that',
  ],
  [
    'a name in the place of what is staged',
    published(PARAMETERS, '{ username: /orders/username, password: /keyturn/orders/password }'),
    'k.yaml:13:58 policies.orders.publish[0].secrets.password: "/keyturn/orders/password" is not valid in a store of type aws-parameter-store; must be up to 900 of A-Z, a-z, 0-9 and _.-, in at most 14 parts after slashes such as /orders/password; it must not begin with aws, ssm or the name under which versions are staged',
  ],
  [
    'one parameter under two names',
    published(PARAMETERS, '{ username: "/orders#u", password: "orders#p" }'),
    'k.yaml:13:53 policies.orders.publish[0].secrets.password: "orders#p" is the secret of policies.orders.publish[0].secrets.username (k.yaml:13:30) under another name; must be spelt alike',
  ],
  [
    'two ways to log in to Vault',
    stores('{ type: vault, url: "https://v", auth: { token: x, kubernetes: { role: r } } }'),
    'k.yaml:6:48 stores.more.auth: is a mapping; must be a mapping with exactly one of token, appRole and kubernetes',
  ],
  [
    'a way to Vault in plaintext',
    stores('{ type: vault, url: "http://vault.internal", auth: { token: x } }'),
    'k.yaml:6:29 stores.more.url: goes over the network in plaintext, secrets and passwords too; must be https://, or have tls: { mode: disable } beside it to allow that',
  ],
  [
    'a CA that is not there',
    stores('{ type: vault, url: "https://v", auth: { token: x }, tls: { ca: no.pem } }'),
    'k.yaml:6:73 stores.more.tls.ca: file "no.pem" does not exist; must be a readable PEM file',
  ],
  [
    'a path below what is staged',
    published(
      '{ type: vault, url: "https://v", auth: { token: x } }',
      '{ username: "keyturn/o#u", password: "orders/../db#p" }',
    ),
    'k.yaml:13:30 policies.orders.publish[0].secrets.username: "keyturn/o#u" is not valid in a store of type vault; must be the path of a secret without the mount, such as orders/db; not below the path under which versions are staged',
    'k.yaml:13:55 policies.orders.publish[0].secrets.password: "orders/../db#p" is not valid in a store of type vault; must be the path of a secret without the mount, such as orders/db; not below the path under which versions are staged',
  ],
  [
    'something to restart that is no workload',
    stores('{ type: kubernetes, restart: [deployment/web, web] }'),
    'k.yaml:6:55 stores.more.restart[1]: "web" is not valid; must be deployment/name, statefulset/name or daemonset/name',
  ],
  [
    'no key of a Secret',
    published('{ type: kubernetes }', '{ username: orders-db, password: orders-db.keyturn/password }'),
    'k.yaml:13:30 policies.orders.publish[0].secrets.username: "orders-db" is not valid in a store of type kubernetes; must be the name of a Secret and one key of it, such as orders-db/password; the name must not end with .keyturn',
    'k.yaml:13:51 policies.orders.publish[0].secrets.password: "orders-db.keyturn/password" is not valid in a store of type kubernetes; must be the name of a Secret and one key of it, such as orders-db/password; the name must not end with .keyturn',
  ],
])('a store with %s is refused', (_, yaml, ...problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

test('a configuration without these stores is as it was', () => {
  expect([...load(VALID).stores.keys()].includes('more')).toBe(false);
});
