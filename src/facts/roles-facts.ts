/** About what `keyturn roles` was asked for, and what keeps it from being done. */
export type RolesFacts = {};
