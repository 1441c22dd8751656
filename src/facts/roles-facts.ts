import type { RestoreFacts } from './roles/restore-facts.ts';
import type { RoleActionFacts } from './roles/role-action-facts.ts';
import type { RoleChangeFacts } from './roles/role-change-facts.ts';
import type { RoleDropFacts } from './roles/role-drop-facts.ts';
import type { RolePlanFacts } from './roles/role-plan-facts.ts';
import type { RoleRefusalFacts } from './roles/role-refusal-facts.ts';
import type { RoleRequestFacts } from './roles/role-request-facts.ts';
import type { RoleRightFacts } from './roles/role-right-facts.ts';
import type { RotatorScriptFacts } from './roles/rotator-script-facts.ts';

/** About what `keyturn roles` was asked for, does, and what keeps it from doing it. */
export interface RolesFacts
  extends RoleActionFacts,
    RoleChangeFacts,
    RoleDropFacts,
    RolePlanFacts,
    RoleRefusalFacts,
    RoleRequestFacts,
    RoleRightFacts,
    RestoreFacts,
    RotatorScriptFacts {}
