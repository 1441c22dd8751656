import type { RolesFacts } from '../facts/roles-facts.ts';
import type { Messages } from './message.ts';

export const rolesMessages: Messages<RolesFacts> = {};
