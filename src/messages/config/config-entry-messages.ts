import { shownName } from '../../config/checks/credential-like.ts';
import { counted } from '../../counted.ts';
import type { ConfigEntryFacts, Found } from '../../facts/config/config-entry-facts.ts';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import type { Messages } from '../message.ts';
import { oneOf, suggestion, valueText } from '../problems.ts';
import { RULES } from './config-rules.ts';

function foundText(found: Found): string {
  switch (found.kind) {
    case 'mapping':
      return 'is a mapping';
    case 'list':
      return 'is a list';
    case 'empty':
      return 'is empty';
    case 'entries':
      return `has ${counted(found.count, 'entry', 'entries')}`;
    case 'not-text':
      return `is a ${found.type}, not text (quote it)`;
    case 'value':
      return `${valueText(found.value)} is not valid`;
  }
}

function mustBe({
  rule,
  allowed = [],
  near,
}: {
  readonly rule: ConfigRule;
  readonly allowed?: readonly string[];
  readonly near?: string;
}): string {
  if (rule === 'one-of') return `must be ${oneOf(allowed)}`;
  if (rule === 'time-zone' && near !== undefined) {
    return `must be an IANA time zone; did you mean "${near}"?`;
  }
  const meant = rule === 'store-type' && near !== undefined ? `; did you mean "${near}"?` : '';
  return `must be ${RULES[rule]}${meant}`;
}

export const configEntryMessages: Messages<ConfigEntryFacts> = {
  'config-key-unknown': {
    text: ({ key }) => `unknown key "${shownName(key)}"`,
    advice: suggestion,
    means: 'An entry of the configuration has a key that keyturn does not know.',
    example: { key: 'grce', near: 'grace', known: ['grace', 'timeout', 'onTimeout'] },
  },
  'config-entry-missing': {
    text: () => 'is missing',
    advice: mustBe,
    means: 'An entry that is always needed, or that another entry needs, is not there.',
    example: { rule: 'rotator' },
  },
  'config-entry-invalid': {
    text: ({ found }) => foundText(found),
    advice: mustBe,
    means:
      'An entry is not what it must be. The value is shown as it is written, unless it may hold a credential.',
    example: { found: { kind: 'value', value: { kind: 'written', text: 0 } }, rule: 'port' },
  },
  'config-name-invalid': {
    text: ({ name }) => `name "${shownName(name)}" is not valid`,
    advice: `must be ${RULES['entry-name']}`,
    means: 'The name of a connection, a store or a policy has other characters than these, or too many.',
    example: { name: 'Orders_API' },
  },
  'config-reference-unknown': {
    text: ({ kind, value }) => `unknown ${kind} ${valueText(value)}`,
    advice: suggestion,
    means:
      'A policy names a connection or a store that the configuration does not have, or a sink of events names a policy.',
    example: {
      kind: 'connection',
      value: { kind: 'written', text: 'orders-bd' },
      near: 'orders-db',
      known: ['orders-db'],
    },
  },
};
