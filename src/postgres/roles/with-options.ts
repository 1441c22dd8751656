/**
 * The server_version_num from which on a membership has options of its own, and a role is altered, or given to others, only
 * by those who have ADMIN OPTION on it. https://www.postgresql.org/docs/16/sql-grant.html
 */
export const WITH_OPTIONS = 160_000;
