import type pg from 'pg';
import { prepared } from '../connection/prepared.ts';
import {
  DEFAULT_GRANTS,
  type DefaultGrantRow,
  defaultGrantDifferences,
} from './default-grant-differences.ts';
import { GRANTS, type GrantDifference, type GrantRow, grantDifferences } from './grant-differences.ts';
import { ROW_POLICIES, type RowPolicyRow, rowPolicyDifferences } from './row-policy-differences.ts';
import {
  type SingleUserMapping,
  singleUserMappings,
  USER_MAPPINGS,
  type UserMappingRow,
} from './single-user-mappings.ts';

/** What one of two logins has in this database and the other has not. */
export interface PairDifferences {
  readonly grants: readonly GrantDifference[];
  readonly mappings: readonly SingleUserMapping[];
}

interface DifferencesRow {
  readonly grants: readonly GrantRow[];
  readonly defaults: readonly DefaultGrantRow[];
  readonly policies: readonly RowPolicyRow[];
  readonly mappings: readonly UserMappingRow[];
}

/** Compares two logins in one query. */
export async function pairDifferences(
  client: pg.ClientBase,
  pair: readonly [string, string],
): Promise<PairDifferences> {
  const { rows } = await client.query<DifferencesRow>(prepared(DIFFERENCES, [pair]));
  // A SELECT without FROM has one row.
  const { grants, defaults, policies, mappings } = rows[0] as DifferencesRow;
  return {
    grants: [
      ...grantDifferences(grants, pair),
      ...defaultGrantDifferences(defaults, pair),
      ...rowPolicyDifferences(policies),
    ],
    mappings: singleUserMappings(mappings, pair),
  };
}

const DIFFERENCES = `
  SELECT ${listOf(GRANTS)} AS grants, ${listOf(DEFAULT_GRANTS)} AS defaults,
         ${listOf(ROW_POLICIES)} AS policies, ${listOf(USER_MAPPINGS)} AS mappings`;

function listOf(query: string): string {
  return `coalesce((SELECT pg_catalog.json_agg(part) FROM (${query}) AS part), '[]')`;
}
