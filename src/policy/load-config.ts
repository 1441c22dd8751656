import { buildConfig } from './build-config.ts';
import { checkConnections } from './check-connections.ts';
import { checkDestinations } from './check-destinations.ts';
import { checkExposure } from './check-exposure.ts';
import { checkLogins } from './check-logins.ts';
import { checkPlaintext } from './check-plaintext.ts';
import { checkPolicyTypes } from './check-policy-types.ts';
import { checkSchedules } from './check-schedules.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkShape, issuesOfState } from './check-shape.ts';
import type { Config } from './config.ts';
import { ConfigError, type Problem, renderProblem } from './config-error.ts';
import { withoutCredentials } from './credential-like.ts';
import { describeIssue } from './describe-issue.ts';
import { draftOf } from './draft.ts';
import { expandStateUrl, expandUrls } from './expand-urls.ts';
import { type ConfigSource, readTree } from './read-tree.ts';

/** Reads and validates a configuration whole. Throws a ConfigError with everything that is wrong with it. */
export function loadConfig(source: ConfigSource): Config {
  const { cwd, env } = source;
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const report = (problem: Problem) => problems.push(problem);
  const { tree: merged, read, files } = readTree(source, report);
  // What is in a file that cannot be read, or is nothing but a list, would be reported as missing.
  if (problems.some((problem) => problem.path === '')) throw configError(problems);

  const spelt = expandUrls(merged, report);
  const { entry, issues } = checkShape(spelt);
  const tree = expandStateUrl(spelt, report);
  for (const issue of [...issues, ...issuesOfState(tree)]) problems.push(...describeIssue(tree, issue));
  const draft = draftOf(tree, { problems, warnings });
  const tls = checkConnections(draft, read);
  checkPolicyTypes(draft);
  checkLogins(draft);
  checkSchedules(draft);
  checkSecrets(draft, checkDestinations(draft, cwd));
  checkPlaintext(draft, env);
  const warned = warnings.length;
  checkExposure(draft, merged, cwd);
  const exposed = warnings.slice(warned).map(renderProblem);

  if (problems.length > 0 || entry === undefined) throw configError(problems);
  return buildConfig(entry, {
    cwd,
    tls,
    state: draft.state,
    files: [...files],
    warnings: inOrder(warnings).map(renderProblem),
    exposed,
  });
}

function configError(problems: readonly Problem[]): ConfigError {
  // Two rules on one value may say the same.
  const distinct = new Map(
    problems.map((problem) => {
      const shown = { ...problem, message: withoutCredentials(problem.message) };
      return [renderProblem(shown), shown];
    }),
  );
  return new ConfigError(inOrder([...distinct.values()]));
}

/** As one reads: by file, then from top to bottom. */
function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}
