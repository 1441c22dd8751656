import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { registerCreate } from './roles/create.ts';
import { registerDrop } from './roles/drop.ts';
import { registerList } from './roles/list.ts';
import { registerRepair } from './roles/repair.ts';
import { registerRotator } from './roles/rotator.ts';

export function registerRoles(program: Command, io: Io): void {
  const roles = program
    .command('roles')
    .description('create, list, repair and drop logins; print the SQL for the rotator that manages them');
  registerCreate(roles, io);
  registerList(roles, io);
  registerRepair(roles, io);
  registerDrop(roles, io);
  registerRotator(roles, io);
}
