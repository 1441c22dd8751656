import { dirname, join, relative, resolve } from 'node:path';
import { getLeadingCommentRanges, SyntaxKind } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';
import { LIMITS } from './rules.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Files, folders, functions and wide comment lines of src/ and jobs/, as the TypeScript compiler parses them; with
 * paths, of what is at or below these.
 */
export function measure(paths = []) {
  const api = new API({ cwd: ROOT });
  try {
    const [project] = api.updateSnapshot({ openProject: join(ROOT, 'tsconfig.json') }).getProjects();
    const sources = project.rootFiles
      .map((path) => ({ file: relative(ROOT, path), path }))
      .filter(({ file }) => paths.length === 0 || paths.some((path) => isBelow(path, file)))
      .map(({ file, path }) => ({ file, source: project.program.getSourceFile(path) }))
      .toSorted((a, b) => a.file.localeCompare(b.file));
    if (sources.length === 0) throw new Error(`no source file at ${paths.join(', ')}`);
    return {
      files: sources.map(({ file, source }) => ({ file, lines: linesOf(source.text).length })),
      folders: foldersOf(sources.map(({ file }) => file)),
      functions: sources.flatMap(({ file, source }) => functionsOf(file, source)),
      wideComments: sources.flatMap(({ file, source }) => wideCommentsOf(file, source)),
    };
  } finally {
    api.close();
  }
}

function isBelow(path, file) {
  const below = relative(resolve(path), join(ROOT, file));
  return below === '' || !below.startsWith('..');
}

function foldersOf(files) {
  const counts = new Map();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  return [...counts]
    .map(([folder, files]) => ({ folder, files }))
    .toSorted((a, b) => b.files - a.files || a.folder.localeCompare(b.folder));
}

const FUNCTIONS = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

/** Every function with a body: its lines from the first word of its signature to its closing brace. */
function functionsOf(file, source) {
  const found = [];
  const visit = (node) => {
    if (FUNCTIONS.has(node.kind) && node.body) {
      const first = lineAt(source, node.getStart(source));
      const lines = lineAt(source, node.end) - first + 1;
      found.push({ at: `${file}:${first}`, name: nameOf(node, source), lines, ...reasonOf(node, source) });
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found.toSorted((a, b) => b.lines - a.lines);
}

function nameOf(node, source) {
  if (node.kind === SyntaxKind.Constructor) return 'constructor';
  const named = node.name ?? node.parent?.name;
  return named ? named.getText(source) : '(anonymous)';
}

/** What the first comment in a body says after "Long because". */
function reasonOf({ body }, source) {
  const comments =
    getLeadingCommentRanges(source.text, body.pos + body.getLeadingTriviaWidth(source) + 1) ?? [];
  const text = comments.map(({ pos, end }) => source.text.slice(pos, end)).join(' ');
  const reason = /Long because\s+(.+)/.exec(text.replace(/\n\s*\/\/\s*/g, ' '))?.[1];
  return reason === undefined ? {} : { reason };
}

/** Lines with a comment that are longer than allowed. An address that fills its line cannot be broken. */
function wideCommentsOf(file, source) {
  const lines = source.text.split('\n');
  const wide = new Set();
  for (const { pos, end } of commentsOf(source)) {
    for (let line = lineAt(source, pos); line <= lineAt(source, end); line++) {
      const text = lines[line - 1];
      if (text.length > LIMITS.commentColumns && !/^\s*(\*|\/\/) https:\S+$/.test(text)) wide.add(line);
    }
  }
  return [...wide].map((line) => ({ at: `${file}:${line}`, columns: lines[line - 1].length }));
}

const QUOTED = new Set([
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateHead,
  SyntaxKind.TemplateMiddle,
  SyntaxKind.TemplateTail,
  SyntaxKind.RegularExpressionLiteral,
]);

/** The comments of a file: what looks like one within quotes or a regular expression is not. */
function commentsOf(source) {
  const quoted = [];
  const visit = (node) => {
    if (QUOTED.has(node.kind)) quoted.push({ pos: node.getStart(source), end: node.end });
    node.forEachChild(visit);
  };
  visit(source);
  const found = [];
  const pattern = /\/\/.*|\/\*[\s\S]*?\*\//g;
  for (let match = pattern.exec(source.text); match; match = pattern.exec(source.text)) {
    const around = quoted.find(({ pos, end }) => pos <= match.index && match.index < end);
    if (around) pattern.lastIndex = around.end;
    else found.push({ pos: match.index, end: match.index + match[0].length });
  }
  return found;
}

/** Counted from 1. */
function lineAt(source, position) {
  return source.getLineAndCharacterOfPosition(position).line + 1;
}

/** Without the empty one after the last line end. */
function linesOf(text) {
  return text.replace(/\n$/, '').split('\n');
}
