import { shownName } from '../config/checks/credential-like.ts';
import type { OtherEntry } from '../facts/config/config-policy-facts.ts';
import type { FileFault, Place, Problem, Shown } from '../facts/problem.ts';
import type { Tell } from './message.ts';

/** One line: `file:line:column path: what is wrong; what is allowed`. */
export function problemLine(problem: Problem, tell: Tell): string {
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  return `${placeText(problem)}${path}: ${tell(problem.fact)}`;
}

/** `file:line:column`, as editors and terminals turn into a link. */
export function placeText({ file, line, column }: Place): string {
  const name = shownName(file);
  return line === undefined ? name : `${name}:${line}:${column}`;
}

export function otherEntry({ path, place }: OtherEntry): string {
  return place === undefined ? path : `${path} (${placeText(place)})`;
}

/** A value in quotation marks, or what stands for it. */
export function valueText(value: Shown): string {
  switch (value.kind) {
    case 'written':
      return JSON.stringify(value.text);
    case 'parameter':
      return `its ${value.name}`;
    case 'hidden':
      return 'the value';
  }
}

/** The nearest known name, or all of them. */
export function suggestion({
  near,
  known,
}: {
  readonly near?: string;
  readonly known: readonly string[];
}): string {
  if (near !== undefined) return `did you mean "${near}"?`;
  if (known.length === 0) return 'none is defined';
  return `known: ${known.map((name) => `"${name}"`).join(', ')}`;
}

/** Follows the name of a file. */
export function fileFaultText(fault: FileFault): string {
  switch (fault.reason) {
    case 'absent':
      return 'does not exist';
    case 'forbidden':
      return 'may not be read by this user';
    case 'folder':
      return 'is a folder, not a file';
    case 'special':
      return 'is a device, a pipe or a socket, not a file';
    case 'not-utf8':
      return 'is not UTF-8 text';
    case 'empty':
      return 'is empty';
    case 'too-large':
      return `is larger than ${fault.kibibytes} KiB`;
    case 'other':
      return `cannot be read (${fault.detail})`;
  }
}

/** `a, b or c`. */
export function oneOf(values: readonly string[]): string {
  return values.join(', ').replace(/, ([^,]*)$/, ' or $1');
}
