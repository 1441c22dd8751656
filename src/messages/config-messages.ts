import { counted } from '../counted.ts';
import type { ConfigFacts } from '../facts/config-facts.ts';
import type { Problem } from '../facts/problem.ts';
import { configEditMessages } from './config/config-edit-messages.ts';
import { configEntryMessages } from './config/config-entry-messages.ts';
import { configFileMessages } from './config/config-file-messages.ts';
import { configFormatMessages } from './config/config-format-messages.ts';
import { configPolicyMessages } from './config/config-policy-messages.ts';
import { configPublishMessages } from './config/config-publish-messages.ts';
import { configServerMessages } from './config/config-server-messages.ts';
import { configSinkMessages } from './config/config-sink-messages.ts';
import { configTlsMessages } from './config/config-tls-messages.ts';
import { configUrlMessages } from './config/config-url-messages.ts';
import type { Messages } from './message.ts';
import { problemLine } from './problems.ts';

const PROBLEMS: readonly Problem[] = [
  {
    file: 'keyturn.yaml',
    line: 12,
    column: 5,
    path: 'policies.orders.drain.grce',
    fact: {
      code: 'config-key-unknown',
      params: { key: 'grce', near: 'grace', known: ['grace', 'timeout', 'onTimeout'] },
    },
  },
];

export const configMessages: Messages<ConfigFacts> = {
  ...configEntryMessages,
  ...configFileMessages,
  ...configPolicyMessages,
  ...configEditMessages,
  ...configFormatMessages,
  ...configPublishMessages,
  ...configServerMessages,
  ...configSinkMessages,
  ...configTlsMessages,
  ...configUrlMessages,
  'config-invalid': {
    text: ({ problems }, tell) => problems.map((problem) => problemLine(problem, tell)).join('\n'),
    means:
      'The configuration is not valid, so nothing was started or changed. Each problem is one line with its place. `keyturn validate` checks a configuration without touching anything.',
    example: { problems: PROBLEMS },
  },
  'config-reloaded': {
    text: ({ policies }) => `the configuration was reloaded: ${counted(policies, 'policy', 'policies')}`,
    means: 'A worker saw that its configuration was edited, and uses the new one from now on.',
    example: { policies: 3 },
  },
  'config-reload-refused': {
    text: ({ problems }, tell) =>
      `the configuration has problems, so the one before stays in force: ${problems.map((problem) => problemLine(problem, tell)).join('; ')}`,
    means:
      'A worker saw that its configuration was edited, and the new one is not valid. It goes on with the one before, and says so every minute until the problems are gone.',
    example: { problems: PROBLEMS },
  },
  'config-restart-needed': {
    text: ({ keys }) =>
      `${keys.join(' and ')} of the configuration changed; a worker uses that only after a restart`,
    advice: 'restart the worker',
    means:
      'A worker keeps the state database and the queue that it started with. Everything else that was edited is in force already.',
    example: { keys: ['state'] },
  },
  'policy-unknown': {
    text: ({ name }) => `There is no policy ${JSON.stringify(name)}`,
    advice: ({ near, known }) =>
      near === undefined ? `there is ${known.join(', ') || 'none'}` : `did you mean ${near}?`,
    means: 'A command names a policy that the configuration does not have.',
    example: { name: 'oders', near: 'orders', known: ['orders', 'invoices'] },
  },
};
