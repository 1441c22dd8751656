import type { RoleRightFacts } from '../../facts/roles/role-right-facts.ts';
import { describeRight } from '../database/describe-right.ts';
import type { Messages } from '../message.ts';

export const roleRightMessages: Messages<RoleRightFacts> = {
  'roles-rights-missing': {
    text: ({ rotator, privileges, rights }, tell) => {
      const lacking = [...privileges.map((each) => `may not ${describeRight(each)}`), ...rights.map(tell)];
      return `The rotator ${rotator} ${lacking.join(', and ')}`;
    },
    advice: ({ rights }) =>
      rights.some(({ code }) => code === 'cannot-act-for-superuser')
        ? 'have a superuser make the changes'
        : undefined,
    means:
      'The rotator lacks rights to make the changes, so nothing was changed. An administrator runs the statements, which give the rotator these rights or make the changes in its place.',
    example: {
      rotator: 'keyturn',
      privileges: [{ right: 'see-sessions' }],
      rights: [{ code: 'cannot-act-for-role', params: { role: 'migrator' } }],
    },
  },
  'cannot-act-for-superuser': {
    text: ({ role }) => `may not act for ${role}, which is a superuser`,
    means: 'What belongs to a superuser only a superuser can grant or change.',
    example: { role: 'postgres' },
  },
  'cannot-act-for-role': {
    text: ({ role }) => `may not act for ${role}`,
    means:
      'A change needs the rights of another role, for instance of the owner of a table, and the rotator may not make itself a member of it.',
    example: { role: 'migrator' },
  },
  'cannot-use-rights-of-role': {
    text: ({ role }) => `is a member of ${role}, but may not use its rights`,
    means: 'The rotator is a member of a role whose rights a change needs, but does not inherit them.',
    example: { role: 'migrator' },
  },
  'cannot-make-members': {
    text: ({ role }) => `may not make others members of ${role}`,
    means: 'From PostgreSQL 16 on, making members of a role takes ADMIN OPTION on it.',
    example: { role: 'orders_owner' },
  },
  'cannot-pass-on-privileges': {
    text: ({ privileges, schema }) => `may not grant ${privileges.join(', ')} on schema ${schema}`,
    means: 'The rotator has no grant option for privileges that a level of access gives on a schema.',
    example: { privileges: ['USAGE', 'CREATE'], schema: 'public' },
  },
  'cannot-let-others-connect': {
    text: ({ database }) => `may not let others connect to ${database}`,
    means: 'The rotator has no grant option for CONNECT on the database.',
    example: { database: 'orders' },
  },
};
