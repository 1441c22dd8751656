import { expect, test } from 'vitest';
import { rowsOfPage, rowsOfTests } from './rows.ts';

test('each row of docs/recovery.md is run by a test, and each row that a test runs is there', () => {
  const shown = rowsOfPage().map(({ name }) => name);
  expect(shown.length).toBeGreaterThan(20);
  expect([...new Set(rowsOfTests())].sort()).toEqual(shown.toSorted());
});
