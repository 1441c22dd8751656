import { counted } from '../../counted.ts';
import type { RoleDropFacts } from '../../facts/roles/role-drop-facts.ts';
import type { Messages } from '../message.ts';
import { processes, usersText } from '../rotation/describe-use.ts';
import { USE_EXAMPLE } from './use-example.ts';

export const roleDropMessages: Messages<RoleDropFacts> = {
  'drop-login-of-other-policy': {
    text: ({ login, policy }) => `${login} is a login of the policy ${policy} now, so it is not dropped`,
    means: 'Another policy of the same server has the login, for instance because the policy was renamed.',
    example: { login: 'orders_a', policy: 'orders-api' },
  },
  'drop-login-published': {
    text: ({ login, destination, policy }) =>
      `${destination} publishes ${login}, which the consumers of ${policy} use`,
    advice: 'once they no longer do, take the policy out of the configuration and drop it again',
    means: 'The policy is configured and publishes one of the logins, so applications may use it.',
    example: { login: 'orders_a', destination: 'aws (primary)', policy: 'orders-api' },
  },
  'drop-during-rotation': {
    text: ({ policy, rotation }) => `${policy} has a rotation open (${rotation})`,
    advice: 'wait for it to end, or cancel it',
    means: 'A rotation of the policy uses its logins.',
    example: { policy: 'orders-api', rotation: '0b5b4f0e-3a3e-4b0c-9a53-8f6a1f5f2a11' },
  },
  'drop-login-in-use': {
    text: (use) => `${use.login} is in use: ${usersText(use)}`,
    advice: 'end that first, and run it again',
    means:
      'The login has sessions on the primary or a replica, prepared transactions, or clients at a PgBouncer.',
    example: USE_EXAMPLE,
  },
  'drop-sessions-starting': {
    text: ({ logins, pids }) =>
      `sessions that were starting when ${logins.join(' and ')} were shut out are still starting (${processes(pids)}); one of them may be a session of these logins`,
    advice: 'end them, or wait until they have started; then run it again',
    means:
      'A client can make its session start slowly (`post_auth_delay`). PostgreSQL still does not say whose these sessions are, so nobody knows whether one belongs to a login that is to be dropped.',
    example: { logins: ['orders_a', 'orders_b'], pids: [4711] },
  },
  'drop-without-owner': {
    text: ({ role, count, database, examples }) =>
      `${role} owns ${counted(count, 'object')}${database === null ? '' : ` in database ${database}`}${examples.length > 0 ? ` (${examples.join(', ')})` : ''}, and the policy has no owner to take them`,
    advice: 'give the policy an owner, or hand them to another role with REASSIGN OWNED',
    means: 'A login owns objects. Data is never dropped, and there is no owner to hand them to.',
    example: { role: 'orders_a', count: 1, database: 'orders', examples: ['table public.orders'] },
  },
  'drop-owner-missing': {
    text: ({ owner }) => `The owner ${owner}, which is to take what the logins own, does not exist`,
    means: 'A login owns objects, and the role that is to own them was dropped or renamed.',
    example: { owner: 'orders_owner' },
  },
  'hand-over-forbidden': {
    text: ({ from, to, detail }) => `The rotator may not hand what ${from} owns to ${to} (${detail})`,
    advice: 'have an administrator do it in this database',
    means:
      'Handing over a schema, or a function where the owner may not create, takes more than the rights of both roles.',
    example: { from: 'orders_a', to: 'orders_owner', detail: 'permission denied for database orders' },
  },
  'hand-over-incomplete': {
    text: ({ role, examples }) =>
      `${role} still owns ${examples.join(', ')}, which PostgreSQL does not hand over by REASSIGN OWNED`,
    advice: 'hand it over by hand',
    means: 'The login still owns something after REASSIGN OWNED, so it is not dropped.',
    example: { role: 'orders_a', examples: ['large object 4711'] },
  },
  'objects-made-during-drop': {
    text: ({ role, objects }) =>
      `Somebody who may act as ${role} has just created something that would have been dropped with it (${objects.join(', ')})`,
    advice: 'run it again',
    means:
      'A member of the login created an object as that login while it was being dropped. The drop is rolled back, so nothing is lost.',
    example: { role: 'orders_a', objects: ['table public.orders'] },
  },
  'drop-stopped': {
    text: ({ logins, cause }, tell) =>
      `${logins.join(' and ')} cannot log in any more, but nothing is dropped: ${tell(cause)}`,
    means:
      'The logins are disabled before anything is dropped, and that stays. Run it again once the cause is removed.',
    example: {
      logins: ['orders_a', 'orders_b'],
      cause: { code: 'drop-login-in-use', params: USE_EXAMPLE },
    },
  },
  'role-already-gone': {
    text: ({ kind, role }) => `the ${kind} ${role} does not exist`,
    means: 'There was nothing to drop.',
    example: { kind: 'login', role: 'orders_a' },
  },
  'deactivate-login': {
    text: ({ login, dependents }) =>
      `deactivates the login ${login} (NOLOGIN, no password) and does not drop it, because it is still needed: ${named(dependents)}`,
    means:
      'Something depends on the login, often a privilege in another database. It cannot log in any more.',
    example: { login: 'orders_a', dependents: ['1 object in database reports'] },
  },
  'owner-kept-as-found': {
    text: ({ owner }) => `keeps the owner ${owner}, which keyturn did not create`,
    means: 'Only an owner that keyturn created is dropped.',
    example: { owner: 'orders_owner' },
  },
  'owner-kept-for-policy': {
    text: ({ owner, policy }) => `keeps the owner ${owner}, which is also the owner of the policy ${policy}`,
    means: 'Another policy of the same server has the same owner.',
    example: { owner: 'orders_owner', policy: 'reports' },
  },
  'owner-kept-for-objects': {
    text: ({ owner, objects }) =>
      `keeps the owner ${owner}, which owns ${objects
        .map(
          ({ count, database }) =>
            counted(count, 'object') + (database === null ? '' : ` in database ${database}`),
        )
        .join(' and ')}`,
    means: 'Data is never dropped, so an owner that owns something stays.',
    example: { owner: 'orders_owner', objects: [{ count: 12, database: 'orders' }] },
  },
  'owner-kept-for-members': {
    text: ({ owner, members }) =>
      `keeps the owner ${owner}, of which ${members.join(' and ')} ${members.length === 1 ? 'is a member' : 'are members'}`,
    means: 'Other roles, or logins of the policy that had to stay, are members of the owner.',
    example: { owner: 'orders_owner', members: ['migrator'] },
  },
  'owner-kept-for-dependents': {
    text: ({ owner, dependents }) => `keeps the owner ${owner}, which is still needed: ${named(dependents)}`,
    means: 'Something depends on the owner, often a privilege in another database.',
    example: { owner: 'orders_owner', dependents: ['1 object in database reports'] },
  },
  'secrets-kept': {
    text: () => 'what is in the secret store stays',
    advice: 'delete it there',
    means: 'After `roles drop`: keyturn deletes no secrets.',
    example: {},
  },
};

function named(dependents: readonly string[]): string {
  return dependents.join(', ') || 'PostgreSQL does not say by what';
}
