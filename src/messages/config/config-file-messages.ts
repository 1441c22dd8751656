// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration
import { shownName } from '../../config/checks/credential-like.ts';
import type { ConfigFileFacts, YamlFault } from '../../facts/config/config-file-facts.ts';
import type { Messages } from '../message.ts';
import { fileFaultText, placeText } from '../problems.ts';

const YAML_FAULTS: Readonly<Record<YamlFault, { readonly text: string; readonly advice: string }>> = {
  alias: { text: 'no valid alias or anchor', advice: 'quote a value that begins with * or &' },
  'bad-indent': {
    text: 'the indentation matches nothing above',
    advice: 'entries of one mapping or list must be indented alike',
  },
  brace: { text: '"{" is never closed', advice: 'add "}"' },
  bracket: { text: '"[" is never closed', advice: 'add "]"' },
  'colon-twice': { text: 'a second ": " in one entry', advice: 'quote a value that has one' },
  escape: {
    text: 'an unknown escape in double quotes',
    advice: 'write \\\\ for a backslash, or use single quotes',
  },
  'first-character': { text: 'a value cannot begin with this character', advice: 'quote it' },
  'missing-character': { text: 'a quote, bracket or comma is missing before this', advice: 'add it' },
  'reference-in-brackets': { text: '"${" between brackets', advice: 'quote the value' },
  'second-document': {
    text: 'a second document begins here',
    advice: 'a file must be one YAML document',
  },
  tab: { text: 'a tab where the line is indented', advice: 'indent with spaces' },
  tag: { text: 'a tag that means nothing here', advice: 'quote a value that begins with !' },
  unknown: { text: 'not YAML from here on', advice: 'look for a missing quote, colon or bracket' },
};

const HOLDS = { literal: 'a password in it', password: 'a password', 'private-key': 'a private key' };

export const configFileMessages: Messages<ConfigFileFacts> = {
  'config-path-unreadable': {
    text: fileFaultText,
    advice: 'must be a YAML file or a folder of *.yaml files',
    means: 'The path of the configuration leads to nothing that can be read.',
    example: { reason: 'absent' },
  },
  'config-folder-empty': {
    text: () => 'holds no *.yaml file',
    advice: 'must be a YAML file or a folder of *.yaml files',
    means: 'The path of the configuration is a folder, and no file in it ends in `.yaml`.',
    example: {},
  },
  'config-file-unreadable': {
    text: fileFaultText,
    advice: 'must be a readable YAML file',
    means: 'One file of the configuration cannot be read.',
    example: { reason: 'forbidden' },
  },
  'yaml-invalid': {
    text: ({ why }) => YAML_FAULTS[why].text,
    advice: ({ why }) => YAML_FAULTS[why].advice,
    means: 'A file of the configuration is not YAML, or not YAML that keyturn takes.',
    example: { why: 'tab' },
  },
  'yaml-key-unusable': {
    text: () => 'the key is no plain word',
    advice: 'write one plain word',
    means: 'A key of the configuration is a list, a mapping, empty, or `__proto__`.',
    example: {},
  },
  'yaml-alias-unresolved': {
    text: () => 'an alias without an anchor',
    advice: 'quote a value that begins with *',
    means:
      'A value begins with `*`, which YAML takes for an alias, and no anchor has its name. An alias inside its own anchor counts as one of these, and so do more than 1,000 aliases.',
    example: {},
  },
  'config-file-no-mapping': {
    text: ({ found }) => `is a ${found === 'list' ? 'list' : 'single value'}`,
    advice: 'must be a mapping with connections, stores and policies',
    means: 'A file of the configuration has a list or a single value at its top.',
    example: { found: 'list' },
  },
  'defined-twice': {
    text: ({ name, first }) => `"${shownName(name)}" is defined already at ${placeText(first)}`,
    advice: 'define it once',
    means:
      'A key is there twice, in one file or in two files of a folder. The first one counts for all other checks.',
    example: { name: 'orders', first: { file: 'keyturn.yaml', line: 8, column: 3 } },
  },
  'variable-unset': {
    text: ({ name }) => `environment variable ${name} is not set`,
    advice: ({ name }) => `set it, or write \${${name}:-default}`,
    means: 'The configuration refers to an environment variable that does not exist.',
    example: { name: 'KEYTURN_DATABASE_URL' },
  },
  'reference-malformed': {
    text: () => '"${" that begins no reference',
    advice: 'write ${NAME}, ${NAME:-default} or ${file:PATH}, or $${ for the characters themselves',
    means: 'A value has a `${` that is not the beginning of a reference.',
    example: {},
  },
  'reference-unreadable': {
    text: ({ path, ...fault }) => `file "${shownName(path)}" ${fileFaultText(fault)}`,
    advice: '${file:PATH} must name a readable file',
    means: 'A `${file:PATH}` of the configuration names a file that cannot be read.',
    example: { path: '/run/secrets/keyturn-db', reason: 'absent' },
  },
  'secret-file-exposed': {
    text: ({ file, holds }) => `every user of this machine may read ${file}, which has ${HOLDS[holds]}`,
    advice: ({ file }) => `run: chmod o-r ${file}`,
    means:
      'A warning. A file with a password or a private key is readable by every user of the machine. Folders that keep others out, and file systems that are mounted read-only, are taken into account.',
    example: { file: 'keyturn.yaml', holds: 'literal' },
  },
};
