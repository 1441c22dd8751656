import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { MESSAGES } from '../../src/messages/messages.ts';
import { messagesDoc } from '../../src/messages/write-messages-doc.ts';

const COMMITTED = resolve(import.meta.dirname, '../../docs/messages.md');

test('docs/messages.md is the generated one; `npm run messages` writes it', () => {
  expect(readFileSync(COMMITTED, 'utf8')).toBe(messagesDoc());
});

test('docs/messages.md has one heading for every code', () => {
  const headings = [...messagesDoc().matchAll(/^### `(\S+)`$/gm)].map(([, code]) => code);
  expect(headings.toSorted()).toEqual(Object.keys(MESSAGES).toSorted());
});
