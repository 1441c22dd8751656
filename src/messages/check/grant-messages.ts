import { counted } from '../../counted.ts';
import type { GrantFacts, OwnedObjectsFact } from '../../facts/check/grant-facts.ts';
import { describeGrant } from '../database/describe-difference.ts';
import type { Messages } from '../message.ts';

export const grantMessages: Messages<GrantFacts> = {
  'grants-differ': {
    text: ({ database, grants }) =>
      `In database ${database} ${grants.map((grant) => `only ${grant.login} ${describeGrant(grant)}`).join(', and ')}: consumers lose that when it goes out`,
    means:
      'Without an `owner`, consumers have the rights of the login that they use. One login was granted something that the other was not.',
    example: {
      database: 'orders',
      grants: [
        {
          kind: 'grant',
          login: 'orders_api_a',
          privileges: 'INSERT',
          objects: 'TABLE',
          names: 'public.orders',
        },
      ],
    },
  },
  'user-mappings-differ': {
    text: ({ database, mappings }) =>
      `In database ${database} ${mappings.map(({ login, server }) => `only ${login} has a user mapping for server ${server}`).join(', and ')}: consumers lose that when it goes out`,
    advice: ({ mappings }) =>
      `make one with the same options: ${mappings.map(({ statement }) => statement).join('; ')}`,
    means:
      'One login can use a foreign server and the other cannot. keyturn does not show the options of a user mapping, because they may hold a password.',
    example: {
      database: 'orders',
      mappings: [
        {
          login: 'orders_api_a',
          server: 'archive',
          statement: 'CREATE USER MAPPING FOR "orders_api_b" SERVER "archive" OPTIONS (…)',
        },
      ],
    },
  },
  'login-owns-objects': {
    text: ({ login, other, owned }) =>
      `${login} itself owns ${owned.map(describeOwned).join(' and ')}${other === null ? '' : `, on which ${other} has no rights but those granted to it`}`,
    advice: ({ owner, statement }) =>
      `${owner === null ? "make a role that both belong to the policy's owner, and " : ''}run in each of these databases: ${statement}`,
    means:
      'Only the owner of an object may alter or drop it, and the other login has no rights on it unless they were granted. Objects of the policy should belong to its `owner`.',
    example: {
      login: 'orders_api_a',
      other: 'orders_api_b',
      owned: [{ database: 'orders', count: 1, examples: ['table public.orders'] }],
      owner: 'orders_owner',
      statement: 'REASSIGN OWNED BY "orders_api_a" TO "orders_owner"',
    },
  },
};

function describeOwned({ database, count, examples }: OwnedObjectsFact): string {
  const named = [...examples, ...(examples.length > 0 && examples.length < count ? ['…'] : [])];
  const what = named.length > 0 ? ` (${named.join(', ')})` : '';
  return `${counted(count, 'object')} ${database === null ? 'of the whole cluster' : `in database ${database}`}${what}`;
}
