import { quoteIdentifier } from '../identifier.ts';
import { anonymousBlock } from './anonymous-block.ts';

/**
 * Lets a rotator see sessions and end them, as far as somebody may grant it who is no superuser. From PostgreSQL 16 on
 * that takes ADMIN OPTION on the very role, and services give it on pg_monitor, which has pg_read_all_stats in it.
 * https://www.postgresql.org/docs/current/predefined-roles.html
 */
export function grantSight(rotator: string): string {
  const me = quoteIdentifier(rotator);
  return anonymousBlock(`BEGIN
  BEGIN
    GRANT pg_read_all_stats TO ${me};
  EXCEPTION WHEN insufficient_privilege THEN
    GRANT pg_monitor TO ${me};
  END;
  GRANT pg_signal_backend TO ${me};
END`);
}

/**
 * Lets a rotator set passwords where Amazon RDS reserves that to members of a role of its own.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.RestrictPasswordMgmt.html
 */
export function grantPasswords(rotator: string): string {
  return anonymousBlock(`BEGIN
  IF pg_catalog.current_setting('rds.restrict_password_commands', true) IN ('on', '1', 'true') THEN
    GRANT rds_password TO ${quoteIdentifier(rotator)};
  END IF;
END`);
}
