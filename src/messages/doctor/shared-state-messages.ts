import type { SharedStateFacts } from '../../facts/doctor/shared-state-facts.ts';
import type { Messages } from '../message.ts';
import { problemLine } from '../problems.ts';

export const sharedStateMessages: Messages<SharedStateFacts> = {
  'state-database-ready': {
    text: () => 'the state database has the ledger',
    means: 'The state database can be reached and written to.',
    example: {},
  },
  'state-database-fails': {
    text: ({ cause }, _tell, quote) =>
      'isState' in cause.params ? quote.text(cause) : `the state database: ${quote.text(cause)}`,
    advice: ({ cause }, quote) => quote.advice(cause) ?? 'check state.database, and that its server is up',
    means: 'The ledger cannot be used. The message says why.',
    example: { cause: { code: 'unexpected', params: { text: 'state.internal:5432: connection refused' } } },
  },
  'state-database-open-to-public': {
    text: ({ database }) =>
      `every login of the server may connect to the state database ${database}, which is PostgreSQL's default`,
    means:
      'Whoever may connect to a database may hold locks in it and use up its connections, and so hold rotations up.',
    example: { database: 'keyturn' },
  },
  'queue-skipped': {
    text: ({ because }) =>
      `the queue is not looked at without ${because === 'state-down' ? 'the state database' : 'a state database to write to'}`,
    means: 'The queue was not checked, because the state database has a finding of its own.',
    example: { because: 'state-down' },
  },
  'workers-running': {
    text: ({ workers }) => `workers that are up: ${workers}`,
    means: 'So many workers take rotations from the queue.',
    example: { workers: 2 },
  },
  'configuration-exposed': {
    text: ({ problem }, _tell, quote) => problemLine(problem, quote.text),
    advice: ({ problem }, quote) => quote.advice(problem.fact),
    means: 'The configuration has a secret in a file that every user of this machine may read.',
    example: {
      problem: {
        file: 'config/keyturn.yaml',
        line: 3,
        column: 15,
        path: 'connections.orders-db.password',
        fact: { code: 'secret-file-exposed', params: { file: 'config/keyturn.yaml', holds: 'literal' } },
      },
    },
  },
};
