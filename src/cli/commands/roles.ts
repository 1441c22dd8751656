import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { addLazyCommands, type LazyCommand } from '../lazy-commands.ts';

const COMMANDS: readonly LazyCommand[] = [
  {
    usage: 'create <policy>',
    description: 'create the owner and the two logins, and grant what they need; adds what is missing',
    load: async () => (await import('./roles/create.ts')).registerCreate,
  },
  {
    usage: 'list',
    description: 'list the logins of every policy: their state, who created them, who uses them',
    load: async () => (await import('./roles/list.ts')).registerList,
  },
  {
    usage: 'repair <policy>',
    description:
      'restore memberships, grants, ownership and login rights that drifted; shows the changes and asks',
    load: async () => (await import('./roles/repair.ts')).registerRepair,
  },
  {
    usage: 'drop <policy>',
    description:
      "drop a policy's logins, and the owner that was created for them; asks for the policy's name first",
    load: async () => (await import('./roles/drop.ts')).registerDrop,
  },
  {
    usage: 'rotator [connection]',
    description:
      'print the SQL for a rotator with the fewest rights, for an administrator to run; connects to nothing',
    load: async () => (await import('./roles/rotator.ts')).registerRotator,
  },
];

export function registerRoles(roles: Command, io: Io): void {
  addLazyCommands(roles, io, COMMANDS);
}
