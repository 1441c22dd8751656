import type { Fact } from '../../facts/fact.ts';
import type { RestoreFacts } from '../../facts/roles/restore-facts.ts';
import type { Messages } from '../message.ts';

const REFUSED_EXAMPLE: Fact = {
  code: 'login-refused',
  params: {
    place: 'orders-db:5432',
    because: 'password',
    detail: 'password authentication failed for user "orders_a"',
  },
};

export const restoreMessages: Messages<RestoreFacts> = {
  'restore-during-rotation': {
    text: ({ policy, rotation }) => `${policy} has a rotation open that publishes soon (${rotation})`,
    advice: 'wait until it has published, or cancel it',
    means:
      'Nothing is restored until the open rotation has published: it is about to publish another login. While it drains, what it has published is restored.',
    example: { policy: 'orders-api', rotation: '0b5b4f0e-3a3e-4b0c-9a53-8f6a1f5f2a11' },
  },
  'restore-of-rotator': {
    text: ({ policy, login }) =>
      `${policy} rotates the password of the rotator ${login} itself, and only ${login} could restore it`,
    advice: 'have an administrator give the rotator a password, and put that into the configuration',
    means:
      'A rotator that is refused cannot alter itself. keyturn tries all passwords that it knows, published and configured.',
    example: { policy: 'keyturn-login', login: 'keyturn' },
  },
  'restore-foreign-username': {
    text: ({ destination, username, logins }) =>
      `${destination} publishes ${username === '' ? 'an empty username' : username}, and the logins of the policy are ${logins.join(' and ')}`,
    means: 'Only logins of the policy are restored. A rotation that adopts the change publishes one of them.',
    example: { destination: 'aws (primary)', username: 'postgres', logins: ['orders_a', 'orders_b'] },
  },
  'restore-altered-version': {
    text: ({ destination }) =>
      `${destination} publishes values that keyturn did not write, so no password is set from them`,
    means:
      'Somebody edited the published secret. Whoever can do that could choose the password of a login. A rotation that adopts the change publishes a password that keyturn makes.',
    example: { destination: 'files (primary)' },
  },
  'restore-older-version': {
    text: ({ destination, rotation }) =>
      `${destination} publishes the version of rotation ${rotation} again, and another rotation has published since`,
    means:
      'Somebody made an older version current. Its password may be known to others, so it is not brought back. A rotation publishes a new one.',
    example: { destination: 'aws (primary)', rotation: '0b5b4f0e-3a3e-4b0c-9a53-8f6a1f5f2a11' },
  },
  'restore-sets-password': {
    text: ({ login, destination }) =>
      `sets the password of ${login} to the one that ${destination} publishes`,
    means: 'The published password works again, so no consumer has to change anything.',
    example: { login: 'orders_a', destination: 'files (primary)' },
  },
  'restore-in-vain': {
    text: ({ login, cause }, tell) => `${login} is still refused: ${tell(cause)}`,
    means: 'What keyturn may change is done, and PostgreSQL refuses the published credential all the same.',
    example: { login: 'orders_a', cause: REFUSED_EXAMPLE },
  },
  'restore-replica-refuses': {
    text: ({ login, replica, cause }, tell) =>
      `${login} logs in on the primary, but not on the replica ${replica}: ${tell(cause)}`,
    advice: 'the replica has it as soon as it has replayed the change; see its lag',
    means: 'A replica has what the primary has once it has replayed it.',
    example: { login: 'orders_a', replica: 'db-2.internal', cause: REFUSED_EXAMPLE },
  },
};
