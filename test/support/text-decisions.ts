import { relative } from 'node:path';
import {
  type Expression,
  isArrayLiteralExpression,
  isAsExpression,
  isBinaryExpression,
  isCallExpression,
  isIdentifier,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isParenthesizedExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isStringLiteral,
  isSwitchStatement,
  isTemplateExpression,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/**
 * `name`: decides by the name of an error. `text`: decides by the text of a message. `sentence`: makes a
 * message of more than a few words.
 */
export interface Offence {
  readonly rule: 'name' | 'text' | 'sentence';
  readonly file: string;
  readonly at: string;
  readonly code: string;
}

/** Where the files of a project decide by text, or make sentences. */
export function offencesIn(tsconfig: string, root: string): Offence[] {
  const api = new API({ cwd: root });
  try {
    const snapshot = api.updateSnapshot({ openProject: tsconfig });
    const [project] = snapshot.getProjects();
    const found = (project?.rootFiles ?? []).flatMap((path) => {
      const source = project?.program.getSourceFile(path);
      return source ? offencesOf(source, relative(root, path)) : [];
    });
    snapshot.dispose();
    return found;
  } finally {
    api.close();
  }
}

function offencesOf(source: SourceFile, file: string): Offence[] {
  const found: Offence[] = [];
  const visit = (node: Node): undefined => {
    const rule = ruleBrokenBy(node);
    if (rule !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      const code = node.getText(source).replace(/\s+/g, ' ').slice(0, 100);
      found.push({ rule, file, at: `${file}:${line}`, code });
    }
    node.forEachChild(visit);
    return undefined;
  };
  visit(source);
  return found;
}

function ruleBrokenBy(node: Node): Offence['rule'] | undefined {
  if (isNewExpression(node)) {
    const isError = isIdentifier(node.expression) && /(Error|Fault|Refusal)$/.test(node.expression.text);
    return isError && node.arguments?.some(isSentence) ? 'sentence' : undefined;
  }
  if (isPropertyAssignment(node)) {
    const isMessage = isIdentifier(node.name) && MESSAGES.has(node.name.text);
    return isMessage && isSentence(node.initializer) ? 'sentence' : undefined;
  }
  const judged = isComparedToNothing(node) ? [] : judgedBy(node);
  if (judged.some(isErrorName)) return 'name';
  if (judged.some(isMessageText)) return 'text';
  return isCallExpression(node) && isLogged(node) && node.arguments.some(isSentence) ? 'sentence' : undefined;
}

/** Properties whose value people read. */
const MESSAGES = new Set(['text', 'message', 'reason', 'remedy', 'advice', 'found', 'effect']);

const EQUALITY = new Set([
  SyntaxKind.EqualsEqualsToken,
  SyntaxKind.EqualsEqualsEqualsToken,
  SyntaxKind.ExclamationEqualsToken,
  SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** Methods that tell something about the text that they are called on, or given. */
const OF_TEXT = new Set([
  'includes',
  'startsWith',
  'endsWith',
  'match',
  'matchAll',
  'search',
  'split',
  'indexOf',
]);
const GIVEN_TEXT = new Set(['includes', 'has', 'get', 'test', 'exec']);

/** The expressions on which something is decided. */
function judgedBy(node: Node): readonly Expression[] {
  if (isBinaryExpression(node) && EQUALITY.has(node.operatorToken.kind)) return [node.left, node.right];
  if (isSwitchStatement(node)) return [node.expression];
  if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return [];
  const method = node.expression.name.text;
  return [
    ...(OF_TEXT.has(method) ? [node.expression.expression] : []),
    ...(GIVEN_TEXT.has(method) ? node.arguments : []),
  ];
}

/** `message === undefined` asks whether there is one, not what it says. */
function isComparedToNothing(node: Node): boolean {
  if (!isBinaryExpression(node)) return false;
  return [node.left, node.right].some(
    (side) => side.kind === SyntaxKind.NullKeyword || (isIdentifier(side) && side.text === 'undefined'),
  );
}

/** `error.name`, or the name of a class of errors that is looked for. */
function isErrorName(node: Expression): boolean {
  if (isStringLiteral(node)) return /^[A-Z]\w*(Error|Exception|Refusal)$|^Refusal$/.test(node.text);
  return isPropertyAccessExpression(node) && node.name.text === 'name' && isError(node.expression);
}

function isMessageText(node: Expression): boolean {
  const inner = unwrapped(node);
  if (isIdentifier(inner)) return inner.text === 'message';
  return isPropertyAccessExpression(inner) && inner.name.text === 'message';
}

function isError(node: Expression): boolean {
  if (isParenthesizedExpression(node)) return isError(node.expression);
  if (isAsExpression(node)) return /Error|Fault/.test(node.type.getText()) || isError(node.expression);
  return isIdentifier(node) && /^(error|err|e|fault|cause|thrown|reason)$|(Error|Fault)$/.test(node.text);
}

/** Without parentheses, a cast, or `?? ''`. */
function unwrapped(node: Expression): Expression {
  if (isParenthesizedExpression(node) || isAsExpression(node)) return unwrapped(node.expression);
  const isDefault = isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.QuestionQuestionToken;
  return isDefault ? unwrapped(node.left) : node;
}

/** `log.warn(…)`, or `log[level](…)` as far as it has a name. */
function isLogged({ expression }: { readonly expression: Expression }): boolean {
  return (
    isPropertyAccessExpression(expression) &&
    isIdentifier(expression.expression) &&
    expression.expression.text === 'log' &&
    /^(debug|info|warn|error|fatal)$/.test(expression.name.text)
  );
}

const SQL = /^(ALTER|COMMENT|CREATE|DROP|GRANT|REASSIGN|REVOKE|ROLLBACK|SELECT|SET) /;

/** Whether a literal has more than four words and is no SQL; what is put into a template counts as a word. */
function isSentence(node: Expression): boolean {
  if (isArrayLiteralExpression(node)) return node.elements.some(isSentence);
  let text = '';
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) text = node.text;
  if (isTemplateExpression(node)) {
    text = [node.head.text, ...node.templateSpans.map(({ literal }) => `x${literal.text}`)].join('');
  }
  return !SQL.test(text) && text.split(/\s+/).filter(Boolean).length > 4;
}
