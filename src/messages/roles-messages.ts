import type { RolesFacts } from '../facts/roles-facts.ts';
import type { Messages } from './message.ts';
import { restoreMessages } from './roles/restore-messages.ts';
import { roleActionMessages } from './roles/role-action-messages.ts';
import { roleChangeMessages } from './roles/role-change-messages.ts';
import { roleDropMessages } from './roles/role-drop-messages.ts';
import { rolePlanMessages } from './roles/role-plan-messages.ts';
import { roleRefusalMessages } from './roles/role-refusal-messages.ts';
import { roleRequestMessages } from './roles/role-request-messages.ts';
import { roleRightMessages } from './roles/role-right-messages.ts';
import { rotatorScriptMessages } from './roles/rotator-script-messages.ts';

export const rolesMessages: Messages<RolesFacts> = {
  ...roleActionMessages,
  ...roleChangeMessages,
  ...roleDropMessages,
  ...rolePlanMessages,
  ...roleRefusalMessages,
  ...roleRequestMessages,
  ...roleRightMessages,
  ...restoreMessages,
  ...rotatorScriptMessages,
};
