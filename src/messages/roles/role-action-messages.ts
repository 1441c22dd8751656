import { counted } from '../../counted.ts';
import type { RoleActionFacts } from '../../facts/roles/role-action-facts.ts';
import type { Messages } from '../message.ts';

export const roleActionMessages: Messages<RoleActionFacts> = {
  'roles-changed': {
    text: ({ changes, access, schemas }) =>
      [
        counted(changes, 'change'),
        ...(access === null ? [] : [`level ${access} in ${schemas.join(', ')}`]),
      ].join('; '),
    means:
      'The history has it of a command that changed the roles of a policy: how many changes it made, and the level of access that the roles are meant to have.',
    example: { changes: 3, access: 'read-write', schemas: ['public'] },
  },
  'roles-dropped': {
    text: ({ dropped, deactivated }) =>
      [
        ...(dropped.length > 0 ? [`dropped ${dropped.join(', ')}`] : []),
        ...(deactivated.length > 0 ? [`disabled ${deactivated.join(', ')}`] : []),
      ].join('; ') || 'nothing was left to drop',
    means:
      'The history has it of `roles drop`: the roles that are gone, and those that something depends on, which cannot log in any more.',
    example: { dropped: ['orders_a'], deactivated: ['orders_b'] },
  },
};
