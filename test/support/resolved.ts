import type pg from 'pg';

/**
 * The oids of the functions, operators, types and relations that a statement means in a session, by PostgreSQL's own parse
 * analysis: nothing is run. Throws where the statement does not fit together, as when it means something else.
 * https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-DEBUG-PRINT-PARSE
 */
export async function resolved(client: pg.Client, statement: string): Promise<ReadonlySet<string>> {
  let tree = '';
  const listen = (notice: { detail?: string | undefined }) => {
    tree += notice.detail ?? '';
  };
  await client.query('SET client_min_messages TO log; SET debug_print_parse TO on');
  client.on('notice', listen);
  try {
    await parse(client, statement);
  } finally {
    client.off('notice', listen);
    await client.query('SET debug_print_parse TO off; SET client_min_messages TO notice');
  }
  if (tree === '') throw new Error('the server told no parse tree');
  const fields =
    /:(?:opno|opfuncid|funcid|aggfnoid|winfnoid|relid|resulttype|funcresulttype|consttype) (\d+)/g;
  const rows = /:opnos \(o ([\d ]+)\)/g;
  return new Set([
    ...[...tree.matchAll(fields)].map(([, oid = '']) => oid),
    ...[...tree.matchAll(rows)].flatMap(([, oids = '']) => oids.split(' ')),
  ]);
}

interface Wire {
  parse(message: { readonly text: string; readonly name: string; readonly types: readonly number[] }): void;
  sync(): void;
}

/** The first half of a query with parameters: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY */
function parse(client: pg.Client, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let failed: Error | undefined;
    client.query({
      submit(connection: Wire) {
        connection.parse({ text, name: '', types: [] });
        connection.sync();
      },
      handleError(error: Error) {
        failed = error;
        reject(error);
      },
      handleReadyForQuery() {
        if (!failed) resolve();
      },
    } as unknown as pg.Submittable);
  });
}
