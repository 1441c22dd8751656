import type { ConfigEditFacts, WhyNotEditable } from '../../facts/config/config-edit-facts.ts';
import type { Messages } from '../message.ts';

const WHYS: Readonly<Record<WhyNotEditable, string>> = {
  alias: 'an alias stands here, so another part of the file says it',
  anchor: 'an anchor stands here, so other parts of the file may say the same',
  brackets: 'this is written in brackets',
  'not-found': 'the list publish of the policy is not written here',
  tag: 'a tag stands here',
  unclear: 'it cannot be told for certain what an edit would change',
};
const FILE = 'config/keyturn.yaml';
const PLACE = { file: FILE, line: 30, column: 14, why: 'brackets' } as const;

export const configEditMessages: Messages<ConfigEditFacts> = {
  'config-not-extended': {
    text: ({ file, line, column, why }) =>
      `${file}:${line}:${column}: keyturn does not edit this: ${WHYS[why]}`,
    advice: ({ entry }) => `add to publish of the policy by hand: ${entry}`,
    means:
      'Lines are added to a list that is written as a block, one destination after the other. Every other style is left to you. Nothing was changed.',
    example: {
      ...PLACE,
      entry: '- { store: aws, secrets: { username: prod/db#username, password: prod/db#password } }',
    },
  },
  'config-not-reduced': {
    text: ({ file, line, column, why }) =>
      `${file}:${line}:${column}: keyturn does not edit this: ${WHYS[why]}`,
    advice: ({ path }) => `take ${path} out by hand`,
    means:
      'Lines are taken out of a list that is written as a block, one destination after the other. Every other style is left to you. Nothing was changed.',
    example: { ...PLACE, path: 'policies.orders-api.publish[1]' },
  },
  'config-edited-meanwhile': {
    text: ({ file }) => `${file} was changed by somebody else in the meantime, and stays as it is`,
    advice: 'run the command again',
    means: 'A configuration is replaced only if it still says what was read.',
    example: { file: FILE },
  },
  'config-being-edited': {
    text: ({ file, draft }) => `another keyturn is editing ${file}: there is ${draft}`,
    advice: ({ draft }) => `run the command again, or remove ${draft} if no other keyturn command runs`,
    means:
      'Two edits of a file at the same time could lose one of them. A command that was killed in the middle of an edit leaves its draft.',
    example: { file: FILE, draft: '/etc/keyturn/.keyturn.yaml.draft' },
  },
  'config-file-mounted': {
    text: ({ file }) =>
      `${file} is part of a mounted folder that is replaced as a whole, such as a ConfigMap`,
    advice: 'edit what it is made from',
    means: 'An edit of the file would be lost, or is not possible. Nothing was changed.',
    example: { file: FILE },
  },
  'config-not-written': {
    text: ({ file, detail }) => `${file} cannot be replaced: ${detail}`,
    advice: 'run the command as a user who may write to the file and its folder',
    means:
      'A new file is written beside the configuration, and takes its name. What is published already stays. Run the command again.',
    example: { file: FILE, detail: 'EACCES' },
  },
};
