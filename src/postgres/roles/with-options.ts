/**
 * From this server_version_num on, each membership has options of its own, and only roles with
 * ADMIN OPTION on a role may alter it or grant it to others.
 * https://www.postgresql.org/docs/16/sql-grant.html
 */
export const WITH_OPTIONS = 160_000;
