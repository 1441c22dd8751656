import type { ConfigPolicyFacts, StoreType } from '../../facts/config/config-policy-facts.ts';
import type { Messages } from '../message.ts';
import { otherEntry, valueText } from '../problems.ts';

type PublishCode =
  | 'credential-in-two-secrets'
  | 'destination-fields-missing'
  | 'rotator-secret-shared'
  | 'schedule-too-fast-for-aws'
  | 'secret-is-folder'
  | 'secret-name-invalid'
  | 'secret-of-other-destination'
  | 'secret-spelt-differently'
  | 'secret-whole-and-by-key'
  | 'secret-written-twice'
  | 'store-module-unsafe';

const NAMES: Readonly<Record<StoreType, string>> = {
  file: 'a relative path such as orders/password, without empty parts, ".", control characters and parts that begin with ".."',
  'aws-secrets-manager': '1 to 512 of A-Z, a-z, 0-9 and /_+=.@-, or the ARN of a secret',
  'aws-parameter-store':
    'up to 900 of A-Z, a-z, 0-9 and _.-, in at most 14 parts after slashes such as /orders/password; it must not begin with aws, ssm or the name under which versions are staged',
  vault:
    'the path of a secret without the mount, such as orders/db; not below the path under which versions are staged',
  module: '1 to 512 characters without control characters',
  kubernetes:
    'the name of a Secret and one key of it, such as orders-db/password; the name must not end with .keyturn',
};
const TORN = 'which do not change at one instant: a reader can see a new username with an old password';
const APART: Readonly<Record<StoreType, { readonly text: string; readonly better: string }>> = {
  file: { text: `lie in two folders, ${TORN}`, better: 'one folder for both' },
  'aws-secrets-manager': {
    text: 'are two secrets, which do not change at one instant: for some milliseconds a reader that does not pin the VersionId can see a new username with an old password',
    better: 'one JSON secret for both, as name#username and name#password',
  },
  'aws-parameter-store': {
    text: `are two parameters, ${TORN}`,
    better: 'one JSON parameter for both, as name#username and name#password',
  },
  kubernetes: {
    text: `lie in two Secrets, ${TORN}`,
    better: 'one Secret for both, as name/username and name/password',
  },
  module: {
    text: `are two secrets, ${TORN}`,
    better: 'one JSON secret for both, as name#username and name#password',
  },
  vault: {
    text: `are two secrets, ${TORN}`,
    better: 'one secret for both, as path#username and path#password',
  },
};
const UNSAFE = {
  absent: { text: 'is no file', better: 'must be the path of a file in the folder of the configuration' },
  outside: {
    text: 'is not in the folder of the configuration',
    better: 'must be in it, or in a folder below it, also where it is a link',
  },
  owner: {
    text: 'belongs to another user, or a folder on the way to it does',
    better: "must belong to root or to keyturn's user",
  },
  writable: {
    text: 'may be written by other users, or a folder on the way to it may',
    better: 'must be closed to them: chmod go-w',
  },
} as const;
const NAME = { kind: 'written', text: 'orders/password' } as const;
const OTHER = {
  path: 'policies.orders.publish[0].secrets.password',
  place: { file: 'keyturn.yaml', line: 12, column: 57 },
};

export const configPublishMessages: Messages<Pick<ConfigPolicyFacts, PublishCode>> = {
  'destination-fields-missing': {
    text: ({ missing, userlist }) =>
      `maps no ${missing.join(' and no ')}, and no field that has both${userlist ? '; the password cannot be read back from a userlist' : ''}`,
    advice: ({ isPrimary }) =>
      `must map username and password, or one of url, service, pgpass${isPrimary ? ' and env, as this is the primary' : ', env and userlist'}`,
    means:
      'A destination does not publish a whole credential. The primary must have one that keyturn can read back: username and password, or a field that has both.',
    example: { missing: ['password'], isPrimary: true, userlist: false },
  },
  'store-module-unsafe': {
    text: ({ why }) => UNSAFE[why].text,
    advice: ({ why }) => UNSAFE[why].better,
    means:
      'A store of type module runs with all the rights of keyturn. So only a file is run that is in the folder of the configuration, and that nobody but root and the user of keyturn could have written.',
    example: { module: './my-store.mjs', why: 'writable' },
  },
  'secret-name-invalid': {
    text: ({ name, store }) => `${valueText(name)} is not valid in a store of type ${store}`,
    advice: ({ store }) => `must be ${NAMES[store]}`,
    means: 'The store takes no secret of this name.',
    example: { name: { kind: 'written', text: 'orders/../password' }, store: 'file' },
  },
  'secret-written-twice': {
    text: ({ name, other }) => `${valueText(name)} is written by ${otherEntry(other)} already`,
    advice: 'must be a secret or key of its own',
    means: 'Two fields would write to the same secret, or to the same key of one.',
    example: { name: NAME, other: OTHER },
  },
  'secret-whole-and-by-key': {
    text: ({ name, other }) =>
      `${valueText(name)} is written as a whole and by key, here and by ${otherEntry(other)}`,
    advice: 'must be one or the other',
    means: 'One field writes a whole secret, and another one writes a key of the same secret.',
    example: { name: NAME, other: OTHER },
  },
  'secret-of-other-destination': {
    text: ({ name, shared, other }) =>
      `the ${shared} of ${valueText(name)} belongs to another destination, see ${otherEntry(other)}`,
    advice: 'must be one of its own, as one version covers everything in it',
    means:
      'Two destinations share a folder of a file store, or a secret on AWS. It has one version, so promoting the draft of one would promote that of the other.',
    example: { name: NAME, shared: 'folder', other: OTHER },
  },
  'secret-spelt-differently': {
    text: ({ name, other }) => `${valueText(name)} is the secret of ${otherEntry(other)} under another name`,
    advice: 'must be spelt alike',
    means: 'A secret is named by its name in one place and by its ARN in another.',
    example: { name: NAME, other: OTHER },
  },
  'secret-is-folder': {
    text: ({ name, other }) => `${valueText(name)} is also the folder of ${otherEntry(other)}`,
    advice: 'must be a file or a folder',
    means: 'In a file store a secret is a file, so no other secret can lie in it.',
    example: { name: NAME, other: OTHER },
  },
  'rotator-secret-shared': {
    text: ({ group }) =>
      `${group === null ? "the group of keyturn's user" : `the group ${group}`} may read this store, and with it the password of the rotator, who may alter every login of the policies`,
    advice: 'better is a store of its own, without group and mode',
    means:
      'A warning. A policy of `type: rotator` publishes into a file store that a group may read. Applications that read their own credential there could do what keyturn can.',
    example: { group: 'orders' },
  },
  'schedule-too-fast-for-aws': {
    text: () =>
      'this secret is rotated more often than every 10 minutes, so it gets versions faster than AWS removes them (it keeps 100, each for a day), and in the end AWS refuses new ones',
    advice: 'better is an interval of 10m or longer',
    means: 'A warning. AWS Secrets Manager refuses a new version once a secret has too many of them.',
    example: {},
  },
  'credential-in-two-secrets': {
    text: ({ store }) => `username and password ${APART[store].text}`,
    advice: ({ store }) => `better is ${APART[store].better}`,
    means:
      'A warning. Readers are certain to get a username and a password that belong together only where both change at one instant.',
    example: { store: 'aws-secrets-manager' },
  },
};
