import { quoteIdentifier } from '../identifier.ts';
import { anonymousBlock } from './anonymous-block.ts';

/**
 * Lets a rotator see and end sessions, as far as an administrator who is not a superuser may grant
 * that. From PostgreSQL 16 on this takes ADMIN OPTION on the role that is granted. Services give it
 * on pg_monitor, which includes pg_read_all_stats.
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
 * Lets a rotator set passwords where Amazon RDS reserves that for members of its role rds_password.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.RestrictPasswordMgmt.html
 */
export function grantPasswords(rotator: string): string {
  return anonymousBlock(`BEGIN
  IF pg_catalog.current_setting('rds.restrict_password_commands', true) IN ('on', '1', 'true') THEN
    GRANT rds_password TO ${quoteIdentifier(rotator)};
  END IF;
END`);
}
