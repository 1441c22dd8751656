/** About what `check` looks at before a rotation, and doctor too: logins, rights, sessions, the server. */
export type CheckFacts = {};
