import { realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Fact } from '../facts/fact.ts';
import { checkMessages } from './check-messages.ts';
import { commandMessages } from './command-messages.ts';
import { configMessages } from './config-messages.ts';
import { databaseMessages } from './database-messages.ts';
import { doctorMessages } from './doctor-messages.ts';
import { eventMessages } from './event-messages.ts';
import { MESSAGES } from './messages.ts';
import { queueMessages } from './queue-messages.ts';
import { rolesMessages } from './roles-messages.ts';
import { rotationMessages } from './rotation-messages.ts';
import { stateMessages } from './state-messages.ts';
import { storeMessages } from './store-messages.ts';
import { adviceOf, textOf } from './tell.ts';

const AREAS = [
  ['Commands', commandMessages],
  ['Configuration', configMessages],
  ['What a rotation checks before it starts', checkMessages],
  ['A rotation on its way', rotationMessages],
  ['PostgreSQL', databaseMessages],
  ['Secret stores', storeMessages],
  ['State database', stateMessages],
  ['Queue and jobs', queueMessages],
  ['Events', eventMessages],
  ['Roles', rolesMessages],
  ['What only doctor looks at', doctorMessages],
] as const;

const INTRODUCTION = `# Messages

Every message of keyturn has a code that does not change between releases. \`--json\` gives the code and its parameters
next to the text. A message says what is the case, then what to do.

This page lists every code: what it means, an example, and advice. Where SQL or a keyturn command puts it right, the
message itself ends with it, for your own logins: \`run: …\`. Run each statement by itself, as a superuser or as whoever
administers the server.

This page is generated: \`npm run messages\` writes it.
`;

/** The text of docs/messages.md: every code with its meaning, an example, and advice. */
export function messagesDoc(): string {
  const areas = AREAS.map(([title, messages]) => ({ title, codes: Object.keys(messages).sort() }));
  const sections = areas
    .filter(({ codes }) => codes.length > 0)
    .map(({ title, codes }) => [`## ${title}`, ...codes.map(describeCode)].join('\n\n'));
  return `${[INTRODUCTION.trimEnd(), ...sections].join('\n\n')}\n`;
}

function describeCode(code: string): string {
  // The keys of a table of messages are codes, and its examples are parameters of theirs.
  const { means, example } = MESSAGES[code as Fact['code']];
  const fact = { code, params: example } as Fact;
  const advice = adviceOf(fact);
  return [
    `### \`${code}\``,
    means,
    `> ${escapeMarkdown(textOf(fact)).replaceAll('\n', '\n> ')}`,
    ...(advice === undefined ? [] : [`What to do: ${escapeMarkdown(advice)}.`]),
  ].join('\n\n');
}

/** Characters that Markdown would not show. */
function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_<[\]]/g, (character) => `\\${character}`);
}

const script = process.argv[1];
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) {
  writeFileSync('docs/messages.md', messagesDoc());
}
