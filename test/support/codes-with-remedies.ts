import { relative } from 'node:path';
import {
  type CallExpression,
  type Expression,
  isCallExpression,
  isConditionalExpression,
  isIdentifier,
  isObjectLiteralExpression,
  isPropertyAssignment,
  isShorthandPropertyAssignment,
  isStringLiteral,
  isVariableDeclaration,
  type Node,
  type SourceFile,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

export interface CodesWithRemedies {
  readonly codes: ReadonlySet<string>;
  /** Where a fact is made with remedies, and its code cannot be read. */
  readonly unknown: readonly string[];
}

/**
 * The codes that src makes with remedies: `fact(code, params, …)` with more arguments, and
 * `fault(code, params, { remedies })`.
 */
export function codesWithRemedies(tsconfig: string, root: string): CodesWithRemedies {
  const api = new API({ cwd: root });
  const codes = new Set<string>();
  const unknown: string[] = [];
  try {
    const snapshot = api.updateSnapshot({ openProject: tsconfig });
    const [project] = snapshot.getProjects();
    for (const path of project?.rootFiles ?? []) {
      const source = project?.program.getSourceFile(path);
      const file = relative(root, path);
      // What makes facts of what it is given.
      if (!source || file === 'src/facts/fault.ts') continue;
      for (const call of callsWithRemedies(source)) {
        const read = codesOf(call.arguments[0], source);
        for (const code of read) codes.add(code);
        if (read.length === 0) unknown.push(`${file}: ${call.getText(source).slice(0, 80)}`);
      }
    }
    snapshot.dispose();
    return { codes, unknown };
  } finally {
    api.close();
  }
}

function callsWithRemedies(source: SourceFile): CallExpression[] {
  const found: CallExpression[] = [];
  walk(source, (node) => {
    if (!isCallExpression(node) || !isIdentifier(node.expression)) return;
    const [, , third] = node.arguments;
    if (third === undefined) return;
    const { text } = node.expression;
    if (text === 'fact' || (text === 'fault' && hasRemedies(third))) found.push(node);
  });
  return found;
}

function hasRemedies(options: Expression): boolean {
  return (
    isObjectLiteralExpression(options) &&
    options.properties.some(
      (property) =>
        (isPropertyAssignment(property) || isShorthandPropertyAssignment(property)) &&
        isIdentifier(property.name) &&
        property.name.text === 'remedies',
    )
  );
}

/** A literal, either side of a choice, or what a constant of that name in the same file is. */
function codesOf(code: Expression | undefined, source: SourceFile): string[] {
  if (code === undefined) return [];
  if (isStringLiteral(code)) return [code.text];
  if (isConditionalExpression(code)) {
    return [code.whenTrue, code.whenFalse].flatMap((each) => codesOf(each, source));
  }
  if (!isIdentifier(code)) return [];
  const { text } = code;
  const values: Expression[] = [];
  walk(source, (node) => {
    if (!isVariableDeclaration(node) || !isIdentifier(node.name) || node.name.text !== text) return;
    if (node.initializer && !isIdentifier(node.initializer)) values.push(node.initializer);
  });
  return values.flatMap((value) => codesOf(value, source));
}

function walk(node: Node, look: (node: Node) => void): void {
  look(node);
  node.forEachChild((child) => {
    walk(child, look);
    return undefined;
  });
}
