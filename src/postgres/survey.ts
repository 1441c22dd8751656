import type pg from 'pg';
import { prepared } from './connection/prepared.ts';
import {
  SERVER,
  type Server,
  type ServerRow,
  STANDING,
  type Standing,
  serverOf,
} from './connection/rotator.ts';
import { LOGINS, type Login } from './logins/login.ts';
import { type LoginUse, type SeenUses, USES, usesIn } from './sessions/sessions.ts';

/** What a server says of some roles, in one query. */
export interface Survey {
  readonly server: Server;
  readonly standing: Standing;
  /** Those that exist, the owner among them. */
  readonly logins: ReadonlyMap<string, Login>;
  /** Who uses the logins. Throws `sessions-hidden` where that cannot be seen (G6). */
  uses(): Map<string, LoginUse>;
}

interface SurveyRow {
  readonly server: ServerRow;
  readonly standing: Standing;
  readonly logins: readonly (Omit<Login, 'validUntil'> & { readonly validUntil: string | null })[] | null;
  readonly uses: SeenUses;
}

/** Asks for all that `check` has to know of a policy's logins and their owner. */
export async function readSurvey(
  client: pg.Client,
  { logins, owner }: { readonly logins: readonly string[]; readonly owner?: string | undefined },
): Promise<Survey> {
  const roles = owner === undefined ? logins : [...logins, owner];
  const { rows } = await client.query<SurveyRow>(prepared(SURVEY, [logins, roles]));
  // A SELECT without FROM has one row.
  const { server, standing, logins: found, uses } = rows[0] as SurveyRow;
  return {
    server: serverOf(client, server),
    standing,
    logins: new Map((found ?? []).map((login) => [login.name, withDate(login)])),
    uses: () => usesIn(uses, logins),
  };
}

const SURVEY = `
  SELECT (SELECT pg_catalog.row_to_json(part) FROM (${SERVER}) AS part) AS server,
         (SELECT pg_catalog.row_to_json(part) FROM (${STANDING}) AS part) AS standing,
         (SELECT pg_catalog.json_agg(part) FROM (${LOGINS.replace('$1', '$2')}) AS part) AS logins,
         (SELECT pg_catalog.row_to_json(part) FROM (${USES}) AS part) AS uses`;

function withDate({ validUntil, ...login }: NonNullable<SurveyRow['logins']>[number]): Login {
  return { ...login, validUntil: validUntil === null ? null : new Date(validUntil) };
}
