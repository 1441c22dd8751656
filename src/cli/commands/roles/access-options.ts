import { type Command, Option } from 'commander';
import { ACCESS_LEVELS } from '../../../roles/access.ts';
import type { RequestedAccess } from '../../../roles/roles-context.ts';

export interface AccessOptions {
  readonly access?: string;
  readonly schema?: readonly string[];
}

/** Adds the options for what the roles of a policy may do. */
export function addAccessOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--access <level>',
        'what the logins may do with tables and sequences; default: the last choice, or else owner if the policy has one, or else none',
      ).choices(ACCESS_LEVELS),
    )
    .addOption(
      schemaOption('a schema to grant in; may be repeated; default: the last choice, or else public'),
    );
}

export function schemaOption(description: string): Option {
  return new Option('--schema <schema>', description).argParser(
    (schema: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), schema],
  );
}

export function requestedAccess({ access, schema }: AccessOptions): RequestedAccess {
  return { ...(access === undefined ? {} : { access }), ...(schema ? { schemas: schema } : {}) };
}
