import type * as z from 'zod';
import { counted } from '../../counted.ts';
import { shownName } from '../checks/credential-like.ts';
import { type Path, type Problem, renderPath } from '../config-error.ts';
import { find, isBroken, type Located, problemAt, quote } from '../yaml/located.ts';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/** What a breach of the schema is called where it was written; nothing for values that were reported already. */
export function describeIssue(tree: Located, issue: Issue): Problem[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(' ');
    return issue.keys.map((key) => unknownKey(tree, [...path, key], key, known));
  }
  const found = find(tree, path);
  if (found !== undefined && isBroken(found)) return [];
  if (issue.code === 'invalid_key') {
    const name = String(path.at(-1));
    const problem = problemAt(tree, path, `name "${shownName(name)}" is not valid; must be ${issue.message}`);
    return [{ ...problem, ...found?.keyPlace }];
  }
  return [problemAt(tree, path, `${whatIsWrong(tree, path, issue)}; must be ${issue.message}`)];
}

/** An entry that no schema knows, at the place of its key. */
function unknownKey(tree: Located, path: Path, key: string, known: readonly string[]): Problem {
  const place = find(tree, path)?.keyPlace ?? tree.place;
  return {
    ...place,
    path: renderPath(path),
    message: `unknown key "${shownName(key)}"; ${suggest(key, known)}`,
  };
}

/** The nearest known word, or all of them. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  if (known.length === 0) return 'none is defined';
  return `known: ${known.map((name) => `"${name}"`).join(', ')}`;
}

function whatIsWrong(tree: Located, path: Path, issue: Issue): string {
  const content = find(tree, path)?.content;
  if (content === undefined) return 'is missing';
  if (content.kind === 'mapping') return 'is a mapping';
  if (content.kind === 'list') {
    const isLength = issue.code === 'too_small' || issue.code === 'too_big';
    return isLength ? `has ${counted(content.items.length, 'entry', 'entries')}` : 'is a list';
  }
  if (content.value === null || content.value === '') return 'is empty';
  const isText = issue.code === 'invalid_type' && issue.expected === 'string';
  // YAML reads 0123 as a number and no as text; what people meant by such a password cannot be known.
  if (isText) return `is a ${typeof content.value}, not text (quote it)`;
  return `${quote(tree, path)} is not valid`;
}
